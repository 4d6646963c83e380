"""Carry out `tfx record`: credentials, session or program, sanitizer, cassette file."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from recorder import credentials as sources
from recorder import program as programs
from recorder import summary, unfinished, unrecorded
from recorder.checkpoint import Checkpoint, Errand, KeptError, found, path_of
from recorder.credentials import Credentials
from recorder.order import Order
from recorder.session import captured, is_had, record
from recorder.simulated import simulated
from sanitizer.audit.findings import without_advice
from sanitizer.audit.report import Entry, writable, write
from sanitizer.files.era import shows_another
from sanitizer.files.input_files import public_part
from sanitizer.policy.known_names import known_to
from sanitizer.policy.policy import Policy, policy
from sanitizer.policy.suggest import save, suggested
from sanitizer.policy.user_rules import rules_of
from sanitizer.scrub import Scrubbed, scrub
from tfx import store
from tfx.capture import Capture
from tfx.cassette import KEEP
from tfx.errors import CassetteError, FoundError, InputError, RefusedError, TfxError, UsageError
from tfx.exchange import Exchange
from tfx.jsonbody import Json
from tfx.output_file import check_output


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A cassette was written: what to say about it, and what besides.

    `exit_code` is that of the program recorded, else 0; `is_whole`: every request of the program got a whole answer.
    """

    lines: tuple[str, ...]
    report: dict[str, Json]
    exit_code: int = 0
    warnings: tuple[str, ...] = ()
    is_whole: bool = True


def run(order: Order) -> Done:
    """Carry the order out.

    Raises:
        UsageError: name, dates, credentials, pump or program are not usable.
        ServiceError: the service or the network failed; what was fetched is kept for --resume.
        LeakError, RefusedError: the sanitizer's; nothing was written.
    """
    store.check_target(order.name, order.cassettes)  # a cassette that cannot be written must not cost a recording
    rules_of(order.policy)  # nor may a file of rules that cannot be read, or a report of no form
    read_or_written = (store.path_of(order.name, order.cassettes), order.policy, order.credentials)
    if order.report:
        writable(order.report, [file for file in (*read_or_written, order.suggest) if file])
    if order.suggest and order.suggest.exists():
        raise UsageError(f"{order.suggest} exists already, and --suggest overwrites nothing; name another file, or remove it")
    if order.suggest:
        check_output(order.suggest, "the rules", (), [file for file in read_or_written if file])
    if order.program:
        return _program(order)
    if order.simulated:
        capture, warnings = simulated(order)
        return replace(_finished(order, capture), warnings=warnings)
    return _live(order)


def _finished(order: Order, capture: Capture, exit_code: int = 0, *, by_program: bool = False) -> Done:
    rules = rules_of(order.policy)
    try:
        scrubbed = _scrubbed(order, capture, rules)
    except FoundError as error:
        _audit(order, Entry(refused=str(error)), rules)
        raise
    found = Entry(cassette=scrubbed.cassette, findings=scrubbed.findings, touched=scrubbed.touched, left_out=scrubbed.left_out)
    _audit(order, found, rules)
    path = store.save(scrubbed.cassette, order.cassettes)
    if order.suggest:
        save(order.suggest, suggested(scrubbed.findings, rules or policy()))
    lines = summary.lines(path, scrubbed, known_to(rules or policy()), by_program=by_program, suggest=order.suggest)
    return Done(lines=lines, report=summary.report(path, scrubbed), exit_code=exit_code)


def _scrubbed(order: Order, capture: Capture, rules: Policy | None) -> Scrubbed:
    try:
        return scrub(
            capture,
            name=order.name,
            folder=public_part(order.cassettes),
            rules=rules,
            values=_values(order),
            leaves_out=order.leave_out_refused,
        )
    except RefusedError as error:
        if order.leave_out_refused:
            raise
        said = without_advice(str(error))
        raise RefusedError(f"{said}; nothing was written. Leave out what cannot be understood with --leave-out-refused") from None


def _values(order: Order) -> str:
    """Whether amounts are kept: as asked, else as on the cassette this one replaces: recording anew publishes no series by mistake."""
    if order.values is None:
        with suppress(CassetteError):
            return store.load(store.path_of(order.name, order.cassettes), edited=True).values
    return order.values or KEEP


def _audit(order: Order, entry: Entry, rules: Policy | None) -> None:
    if order.report:
        write(order.report, [entry], rules, own=bool(order.policy))


def _live(order: Order) -> Done:
    now = datetime.now(UTC)
    person = sources.find(order.credentials)
    before: tuple[Exchange, ...] = ()
    if order.resume:
        checkpoint, errand, before = Checkpoint.resume(found(order.name, order.cassettes), person, order.going_on, now)
    else:
        errand = order.errand(local_day(now))
        checkpoint = Checkpoint.begin(path_of(order.name, order.cassettes), person, errand, now)
    return with_checkpoint(checkpoint, before, person, errand, lambda capture: _finished(order, capture), resuming=order.resuming)


def is_kept(order: Order) -> bool:
    """Whether something waits for --resume."""
    with suppress(UsageError):
        return bool(found(order.name, order.cassettes))
    return False


def with_checkpoint(
    checkpoint: Checkpoint,
    before: tuple[Exchange, ...],
    person: Credentials,
    errand: Errand,
    finish: Callable[[Capture], Done],
    *,
    resuming: str,
) -> Done:
    """Record with every exchange kept in the checkpoint, and let it go once the cassette is written.

    What holds no data yet is not kept either, nor what was asked for wrongly: there is nothing to resume. Once all is fetched, whatever
    keeps the cassette from being written (a full disk, a place without a rule) costs nothing: `resuming` is the command that goes on.
    """
    is_whole = False
    holds_data = any(map(is_had, before))

    def heard(exchange: Exchange) -> None:
        nonlocal holds_data
        checkpoint.append(exchange)
        holds_data = holds_data or is_had(exchange)

    try:
        capture = record(person, errand, clock=lambda: datetime.now(UTC), heard=heard, before=before)
        is_whole = True
        done = finish(capture)
    except TfxError as error:
        if not is_whole and (not holds_data or (isinstance(error, InputError) and not isinstance(error, KeptError))):
            checkpoint.discard()
            raise
        raise type(error)(f"{error}. What was fetched is kept, encrypted; continue with: {resuming}") from None
    finally:
        checkpoint.close()
    checkpoint.discard()
    return done


def local_day(instant: datetime) -> date:
    """The day the person at this computer, and so most likely the pump, calls today."""
    return instant.astimezone().date()


def _program(order: Order) -> Done:
    if order.simulated:
        raise UsageError(
            "--simulated records without a program; to record a program on the simulated service, start tfx simulate and run "
            "tfx record NAME -- PROGRAM with the variables that it prints"
        )
    if order.resume or order.since or order.until or order.days or order.pump or order.credentials:
        raise UsageError(
            "a program decides itself what it fetches and how it signs in; only --region, --era, --cassettes, --values, --policy, "
            "--report, --suggest, --leave-out-refused and --json go with -- PROGRAM"
        )
    return taped(order, programs.run(order.program), datetime.now(UTC))


def taped(order: Order, ran: programs.Ran, clock: datetime) -> Done:
    """Write what somebody else's client fetched, until this instant.

    Raises:
        UsageError: it got no answer, asked both clouds, or fetched something that was not recorded.
        LeakError, RefusedError: the sanitizer's; nothing was written.
    """
    unrecorded.check(ran.unrecorded)
    region, era = programs.region_and_era(ran.exchanges)
    if order.era and shows_another(order.era, ran.exchanges):
        raise UsageError(f"the program asked the API of {era}, not of {order.era}; leave --era out, or say {era}")
    found = captured(ran.exchanges, order.era or era, order.region or region, clock, ())
    done = _finished(order, found, ran.exit_code, by_program=True)
    report = done.report | {"unfinished": dict(ran.unfinished)}
    return replace(done, report=report, warnings=(unfinished.told(ran.unfinished),) if ran.unfinished else (), is_whole=not ran.unfinished)


def keep_no_core() -> None:
    """No core dump of this process from here on: it would hold the password. Where the system has no such limit, nothing is dumped."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
