"""Every place the stand-in can send, in every era, region and error, has a rule."""

import re
from datetime import UTC, datetime

from rough import documented, rough, sessions

from sanitizer.check import looked_at
from sanitizer.scrub import scrub
from simulator.account import account
from simulator.service import Service
from simulator.session import Walk
from tandem.eras import ERAS
from tandem.faults import STATUSES, Fault
from tandem.regions import REGIONS
from tfx.capture import Capture

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)


KNOWN = re.compile(
    r"event \d+ is unknown to tfx"  # the stand-in invents some, as pumps will
    r"|not a client id of the service|request query\.(startDate|minDate): a date outside"  # asked for wrongly, on purpose
)


def test_every_place_the_stand_in_can_send_has_a_rule() -> None:
    statuses = [Fault(endpoint="pumpers", nth=number, kind=status) for number, status in enumerate(sorted(STATUSES), 1)]
    person = account(identity=1, therapy=4, now=NOW, days=0.25, region="us")
    walk = Walk(Service(person, era="2026-10", now=NOW, faults=statuses), ERAS["2026-10"], REGIONS["us"])
    walk.sign_in(person.email, person.password)
    for _ in statuses:
        walk.read_account(person.pumper_id)
    failed = Capture(exchanges=tuple(walk.exchanges), era="2026-10", region="us", clock=NOW)
    for capture in (*sessions(), *(rough(era, region) for era in ERAS for region in REGIONS), documented(), failed):
        done = scrub(capture, name="session")
        assert [str(finding) for finding in done.findings if not KNOWN.search(str(finding))] == []
        assert looked_at(done.cassette) == ()
