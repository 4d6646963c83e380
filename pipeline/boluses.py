"""A bolus's messages joined to one row: set-based, whatever window each message came in, as often as a message is added."""

from typing import Final

import pyarrow as pa
from sqlalchemy import Connection

from pipeline.load import number, visible
from pipeline.warehouse import driver

CHAIN_GAP: Final = 20_000
"""Sequence numbers between two messages of one bolus, at most. A bolus lasts eight hours (some 500 records); the same 16-bit bolus
id comes again after 65 536 boluses, which is years."""

BOLUS: Final = ["device_id", "sequence_group", "bolus_id"]
"""The columns that name a bolus id of a device."""
_FORGET: Final = "DELETE FROM boluses WHERE (device_id, sequence_group, bolus_id) IN (FROM touched)"

# Amounts: what was asked for is the request (66), else what the completions name, else the deliveries' or the activations' own.
# An extended bolus is completed twice: 20 tells the part given at once, 21 the rest; until 21 is there, 280 counts along.
_JOIN: Final = f"""
INSERT INTO boluses
    (device_id, sequence_group, sequence_number, pump_time, instant, clock, bolus_id, messages, bolus_type, delivery, requested_units,
     delivered_units, food_units, correction_units, carbs_grams, glucose_mg_dl, extended_minutes, completion, completed_pump_time)
WITH
messages AS (
    SELECT m.*, m.sequence_number - lag(m.sequence_number) OVER same > {CHAIN_GAP} AS starts
    FROM bolus_messages m JOIN touched USING (device_id, sequence_group, bolus_id)
    WINDOW same AS (PARTITION BY m.device_id, m.sequence_group, m.bolus_id ORDER BY m.sequence_number)
),
chained AS (
    SELECT *, count(*) FILTER (starts) OVER (PARTITION BY device_id, sequence_group, bolus_id ORDER BY sequence_number) AS chain
    FROM messages
),
joined AS (
    SELECT
        device_id, sequence_group, bolus_id, chain,
        min(sequence_number) AS sequence_number,
        arg_min(pump_time, sequence_number) AS pump_time,
        arg_min(instant, sequence_number) AS instant,
        arg_min(clock, sequence_number) AS clock,
        count(*) AS messages,
        max(bolus_type) AS bolus_type,
        max(delivery) AS delivery,
        max(requested_units) FILTER (code = 66) AS asked,
        sum(requested_units) FILTER (code IN (20, 21)) AS completed_of,
        max(requested_units) FILTER (code = 280) AS counted_of,
        sum(requested_units) FILTER (code IN (55, 59)) AS activated,
        sum(delivered_units) FILTER (code IN (20, 21)) AS told,
        max(delivered_units) FILTER (code = 280) AS counted,
        max(food_units) AS food_units,
        max(correction_units) AS correction_units,
        max(carbs_grams) AS carbs_grams,
        max(glucose_mg_dl) AS glucose_mg_dl,
        max(extended_minutes) AS extended_minutes,
        count(*) FILTER (code = 21) > 0 AS rest_told,
        arg_max(completion, sequence_number) FILTER (code IN (20, 21)) AS completion,
        arg_max(pump_time, sequence_number) FILTER (code IN (20, 21)) AS completed_pump_time
    FROM chained GROUP BY ALL
)
SELECT
    device_id, sequence_group, sequence_number, pump_time, instant, clock, bolus_id, messages, bolus_type, delivery,
    round(coalesce(asked, completed_of, counted_of, activated), 6),
    round(CASE WHEN extended_minutes IS NOT NULL AND NOT rest_told THEN greatest(told, counted) ELSE coalesce(told, counted) END, 6),
    food_units, correction_units, carbs_grams, glucose_mg_dl, extended_minutes, completion, completed_pump_time
FROM joined
"""  # noqa: S608  # our own number


def join(connection: Connection, messages: pa.Table) -> int:
    """Join anew every bolus that these bolus_messages rows belong to. Returns how many boluses that are."""
    if not len(messages):
        return 0
    touched = (
        messages.select(["device_id", "sequence_group", "bolus_id"]).group_by(["device_id", "sequence_group", "bolus_id"]).aggregate([])
    )
    with visible(connection, "touched", touched):
        driver(connection).execute(_FORGET)
        return number(connection, _JOIN)
