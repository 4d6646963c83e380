"""Check sums of insulin: what the pump counted against what the tables say. Reads only."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from pipeline.store.engine import driver

# The pump's own count of a day's basal insulin (81) against rates by time, each cut to the day as far as it was counted. Asked of days that
# have their midnight (90), no setting of the clock (13, 14) and no rate that nobody knows the end of: docs/decisions/basal-by-time.md.
_BASAL: Final = """
WITH midnights AS (
    SELECT device_id, pump_time::DATE AS day, max(instant) AS midnight FROM events WHERE code = 90 AND hour(pump_time) = 0 GROUP BY ALL
),
settings AS (SELECT device_id, instant FROM events WHERE code IN (13, 14)),
days AS (
    SELECT t.device_id, t.day, t.basal_units, t.told_instant, m.midnight FROM daily_totals t JOIN midnights m USING (device_id, day)
    WHERE NOT EXISTS (FROM settings s WHERE s.device_id = t.device_id AND s.instant BETWEEN m.midnight - INTERVAL 1 DAY AND t.told_instant)
),
spans AS (
    SELECT device_id, instant, instant + to_seconds(seconds) AS ended, seconds, commanded_milliunits_per_hour AS rate FROM basal_spans
),
pieces AS (
    SELECT s.*, day FROM spans s ASOF JOIN days d ON s.device_id = d.device_id AND s.instant >= d.midnight
    UNION
    SELECT s.*, day FROM spans s ASOF JOIN days d ON s.device_id = d.device_id AND s.ended >= d.midnight
),
cut AS (
    SELECT d.*, p.* EXCLUDE (device_id, day), epoch(least(told_instant, ended)) - epoch(greatest(midnight, instant)) AS inside
    FROM pieces p JOIN days d USING (device_id, day)
)
SELECT device_id, day::VARCHAR, basal_units, round(sum(rate / 3600000 * greatest(0, inside)), 3) AS counted
FROM cut GROUP BY device_id, day, basal_units
HAVING bool_or(instant <= midnight) AND NOT bool_or(seconds >= 3600 AND inside > 0)
    AND abs(counted - basal_units) > greatest(0.3, 0.05 * basal_units)
ORDER BY ALL
"""
# A bolus delivered what its completions say; an extended one that still runs (no 21 yet), up to what its deliveries (280) count.
_BOLUSES: Final = """
SELECT round(sum(delivered_units), 3), (SELECT round(sum(delivered_units), 3) FROM bolus_messages WHERE code IN (20, 21)), (
    SELECT sum(delivered_units) FROM bolus_messages m WHERE code = 280 AND NOT EXISTS (
        FROM bolus_messages o WHERE o.code = 21 AND o.device_id = m.device_id AND o.bolus_id = m.bolus_id
    )
)
FROM boluses WHERE completion IS NOT NULL
"""


def insulin(connection: Connection) -> Iterator[str]:
    """What does not agree, a sentence each."""
    for device, day, told, counted in driver(connection).execute(_BASAL).fetchall():
        yield f"device {device}, {day}: the pump counted {told} units of basal insulin, the deliveries make {counted}"
    ((joined, completed, running),) = driver(connection).execute(_BOLUSES).fetchall()
    least, most = _number(completed), _number(completed) + _number(running)
    if not least - 0.001 <= _number(joined) <= most + 0.001:  # a thousandth of a unit is what pumps deliver in
        yield f"boluses: {_number(joined)} units in boluses that are over, {_number(completed)} in their completions"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
