"""The sanitizer's row of `make bench`: rules and second search, beside orjson reading and writing the same bytes."""

from datetime import UTC, datetime

import orjson
from measure import Contest, Rival

from sanitizer.scrub import scrub
from simulator.account import account
from simulator.session import captured_session
from tfx.codec import decoded

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)


def contest(days: int = 28) -> Contest:
    person = account(identity=1, therapy=1, now=NOW, days=days, density=1.0)
    capture = captured_session(person, now=NOW, days=days)
    bodies = [decoded(exchange.response.headers, exchange.response.body) for exchange in capture.exchanges]
    texts = [body for body in bodies if body.startswith((b"{", b"["))]
    megabytes = sum(map(len, texts)) / 1e6
    return Contest(
        title=f"Sanitizing {megabytes:.1f} MB of pump events, both layers",
        unit="MB",
        target="0.15 x orjson's speed or more",
        rounds=3,
        rivals=(
            Rival(name="orjson loads + dumps", work=lambda: [orjson.dumps(orjson.loads(text)) for text in texts], units=megabytes),
            Rival(name="tfx", work=lambda: scrub(capture, name="bench"), units=megabytes),
        ),
    )
