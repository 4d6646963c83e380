"""The unfinished recording: sealed, private, torn only at its end."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from recorder.checkpoint import Checkpoint, Errand, KeptError, found, path_of
from recorder.credentials import Credentials
from recorder.order import Order
from tfx.errors import UsageError
from tfx.exchange import Exchange, Request, Response

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
PERSON = Credentials(email="a@b.org", password="p€ssword")
ERRAND = Errand(region="us", era="2026-10", since=date(2026, 11, 12), until=date(2026, 11, 18), pump="90012345")
EXCHANGES = tuple(
    Exchange(request=Request(method="GET", url=f"https://secret-url/{n}"), response=Response(status=200, body=b"secret-body" * n))
    for n in range(5)
)


@pytest.fixture(autouse=True)
def cheap_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests are not attacked."""
    monkeypatch.setattr("recorder.checkpoint.SCRYPT_COST", 2)


@pytest.fixture
def begun(tmp_path: Path) -> Callable[..., Path]:
    """An unfinished recording with some exchanges in it."""

    def make(exchanges: tuple[Exchange, ...] = EXCHANGES) -> Path:
        path = tmp_path / "state" / "x.unfinished"
        checkpoint = Checkpoint.begin(path, PERSON, ERRAND, NOW)
        for exchange in exchanges:
            checkpoint.append(exchange)
        checkpoint.close()
        return path

    return make


def resume(path: Path, person: Credentials = PERSON, errand: Errand = ERRAND, now: datetime = NOW) -> tuple[Exchange, ...]:
    checkpoint, _, exchanges = Checkpoint.resume(path, person, lambda _started: errand, now)
    checkpoint.close()
    return exchanges


def test_what_was_kept_comes_back(begun: Callable[..., Path]) -> None:
    assert resume(begun()) == EXCHANGES
    assert resume(begun(())) == ()


def test_a_resumed_recording_goes_on_where_it_stopped(begun: Callable[..., Path]) -> None:
    path = begun(EXCHANGES[:2])
    checkpoint, _, _ = Checkpoint.resume(path, PERSON, lambda _: ERRAND, NOW)
    checkpoint.append(EXCHANGES[2])
    checkpoint.close()
    assert resume(path) == EXCHANGES[:3]


def test_cut_anywhere_it_loses_the_last_exchange_at_most_and_says_so_when_all_is_gone(begun: Callable[..., Path]) -> None:
    path = begun()
    whole = path.read_bytes()
    ends = []
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        try:
            ends.append(len(resume(path)))
        except UsageError as error:
            assert not ends, "only a cut in the header loses everything"
            assert "unfinished recording" in str(error)  # noqa: PT017  # the message is half of the claim
            continue
        assert resume(path) == EXCHANGES[: ends[-1]]
        Checkpoint.resume(path, PERSON, lambda _: ERRAND, NOW)[0].close()
    assert ends == sorted(ends)
    assert set(ends) == set(range(5))


def test_a_torn_end_is_cut_off_before_more_is_written(begun: Callable[..., Path]) -> None:
    path = begun(EXCHANGES[:2])
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0\0\1\0torn")
    checkpoint, _, exchanges = Checkpoint.resume(path, PERSON, lambda _: ERRAND, NOW)
    assert exchanges == EXCHANGES[:2]
    checkpoint.append(EXCHANGES[2])
    checkpoint.close()
    assert resume(path) == EXCHANGES[:3]


def test_a_last_record_of_zeros_is_a_torn_one(begun: Callable[..., Path]) -> None:
    """What a power cut leaves where the size of a file was written before its blocks."""
    path = begun(EXCHANGES[:2])
    path.write_bytes(path.read_bytes() + (40).to_bytes(4, "big") + bytes(40))
    assert resume(path) == EXCHANGES[:2]


def test_a_change_in_the_middle_is_named(begun: Callable[..., Path]) -> None:
    path = begun()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"is damaged at record [2-4]; record without --resume"):
        resume(path)


def test_no_secret_is_in_the_file(begun: Callable[..., Path]) -> None:
    data = begun().read_bytes()
    for secret in (b"secret", b"p\xe2\x82\xacssword", b"a@b.org", b"90012345", b"2026-10", b"GET"):
        assert secret not in data


def test_only_its_owner_may_read_it(begun: Callable[..., Path]) -> None:
    path = begun()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_new_one_takes_the_place_of_the_old(begun: Callable[..., Path]) -> None:
    begun()
    assert resume(begun(EXCHANGES[:1])) == EXCHANGES[:1]


def test_a_finished_one_is_gone(begun: Callable[..., Path]) -> None:
    path = begun()
    checkpoint, _, _ = Checkpoint.resume(path, PERSON, lambda _: ERRAND, NOW)
    checkpoint.discard()
    assert not path.exists()
    with pytest.raises(UsageError, match="there is no unfinished recording of this cassette to resume; record without --resume"):
        resume(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"region": "eu"}, r"is of something else \(region us, not eu\)"),
        ({"since": date(2026, 11, 1), "era": "2025"}, r"\(era 2026-10, not 2025, since 2026-11-12, not 2026-11-01\)"),
        ({"pump": "77"}, r"is of something else \(pump\); leave that out"),
    ],
)
def test_another_errand_is_refused(begun: Callable[..., Path], change: dict[str, object], words: str) -> None:
    path = begun()
    with pytest.raises(UsageError, match=words) as caught:
        resume(path, errand=replace(ERRAND, **change))  # type: ignore[arg-type]  # one field or another
    assert "90012345" not in str(caught.value)


def test_what_is_left_out_is_as_it_was(begun: Callable[..., Path]) -> None:
    later = NOW + timedelta(days=3)
    for order in (Order(name="x"), Order(name="x", days=7), Order(name="x", until=ERRAND.until, pump="90012345", region="us")):
        checkpoint, errand, _ = Checkpoint.resume(begun(), PERSON, order.going_on, later)
        checkpoint.close()
        assert (errand, order.pump or errand.pump) == (ERRAND, ERRAND.pump)
    with pytest.raises(UsageError, match=r"something else \(since 2026-11-12, not 2026-11-16\)"):
        Checkpoint.resume(begun(), PERSON, Order(name="x", days=3).going_on, later)


def test_it_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    here, there, elsewhere = (path_of("week", tmp_path / folder) for folder in "abc")
    here.parent.mkdir()
    for other in (path_of("week-2", tmp_path), path_of("wee", tmp_path), here.parent / "week-x.unfinished"):
        other.touch()
    with pytest.raises(UsageError, match="there is no unfinished recording"):
        found("week", tmp_path / "a")
    there.touch()
    assert found("week", tmp_path / "a") == there
    elsewhere.touch()
    with pytest.raises(UsageError, match="2 recordings called week are unfinished, for other folders"):
        found("week", tmp_path / "a")
    here.touch()
    assert found("week", tmp_path / "a") == here


def test_two_at_once_are_one_too_many(begun: Callable[..., Path]) -> None:
    path = begun()
    first, _, _ = Checkpoint.resume(path, PERSON, lambda known: known, NOW)
    before = path.read_bytes()
    for second in (lambda: Checkpoint.begin(path, PERSON, ERRAND, NOW), lambda: resume(path)):
        with pytest.raises(UsageError, match="is being recorded by another process at this moment"):
            second()
    assert path.read_bytes() == before
    first.close()  # as the system does for a process that has died
    Checkpoint.begin(path, PERSON, ERRAND, NOW).discard()
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_called_that_and_costs_nothing_kept(begun: Callable[..., Path]) -> None:
    checkpoint, _, _ = Checkpoint.resume(path := begun(), PERSON, lambda known: known, NOW)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, checkpoint._handle)
    os.close(full)
    with pytest.raises(KeptError, match=rf"\(No space left on device\); make room in {path.parent}"):
        checkpoint.append(EXCHANGES[0])
    checkpoint.close()
    assert resume(path) == EXCHANGES


def test_another_password_and_a_clock_set_back_are_refused(begun: Callable[..., Path]) -> None:
    path = begun()
    with pytest.raises(UsageError, match="does not open: it was made with another password, or is damaged"):
        resume(path, Credentials(email="a@b.org", password="other"))
    with pytest.raises(UsageError, match="began in the future: set the clock right"):
        resume(path, now=NOW - timedelta(seconds=1))
    path.write_bytes(b"something else")
    with pytest.raises(UsageError, match="is not an unfinished recording of this version of tfx"):
        resume(path)


def test_it_never_lies_in_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(UsageError, match=r"may not lie in a git work tree, and .* does; set XDG_STATE_HOME elsewhere"):
        Checkpoint.begin(tmp_path / "deep" / "x.unfinished", PERSON, ERRAND, NOW)
    assert not (tmp_path / "deep").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write the unfinished recording .* \(Not a directory\)"):
        Checkpoint.begin(tmp_path / "file" / "x" / "y.unfinished", PERSON, ERRAND, NOW)


def test_each_cassette_has_its_own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, two, other = path_of("a", tmp_path / "p"), path_of("b", tmp_path / "p"), path_of("a", tmp_path / "q")
    assert len({one, two, other}) == 3
    assert one.parent == tmp_path / "tfx"


def test_nothing_prints_what_it_holds(tmp_path: Path) -> None:
    checkpoint = Checkpoint.begin(tmp_path / "x", PERSON, ERRAND, NOW)
    assert repr(checkpoint) == "Checkpoint(1 records)"
    checkpoint.discard()
    assert repr(ERRAND) == "Errand(us, 2026-10, 2026-11-12 to 2026-11-18)"
