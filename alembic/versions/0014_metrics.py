"""Daily insulin, and glucose metrics by the consensus papers, as views.

Ranges, days and share of data: Battelino et al., Diabetes Care 2019;42:1593-1603 (time in range 70 to 180 mg/dL, below 54 to 69 and under
54, above 181 to 250 and over 250; coefficient of variation = standard deviation / mean; 14 days with at least 70 % of readings are
sufficient). Tight range, 70 to 140 mg/dL: Battelino et al., Lancet Diabetes Endocrinol 2023;11:42-57.
Glucose management indicator: Bergenstal et al., Diabetes Care 2018;41:2275-2280, GMI (%) = 3.31 + 0.02392 x mean in mg/dL,
GMI (mmol/mol) = 12.71 + 4.70587 x mean in mmol/L. One mmol/L is 18.0156 mg/dL (glucose: 180.156 g/mol); the ranges are the consensus's own
in mg/dL, which it also calls 3.0, 3.9, 7.8, 10.0 and 13.9 mmol/L. Shares are of readings (`below_70` and `above_180` are both levels of
time below and above range, `share_of_readings` is the time the sensor was active).

A sensor's reading stands for five minutes, so 288 make a day. "Low" (39) and "high" (401) count as the values they stand for. A reading
that was reported twice, live and back-filled, counts once. Days are those of the pump's wall clock.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

# A rate holds until the next record says another, a delivery (279) or a change (3); an hour at most: docs/decisions/basal-by-time.md.
BASAL_SPANS = """
CREATE VIEW basal_spans AS
WITH told AS (
    SELECT device_id, sequence_group, sequence_number, pump_time, instant, commanded_milliunits_per_hour FROM basal_deliveries
    UNION ALL
    SELECT device_id, sequence_group, sequence_number, pump_time, instant, round(1000 * commanded_units_per_hour)::INTEGER
    FROM basal_changes
)
SELECT
    device_id, sequence_group, sequence_number, pump_time, instant, commanded_milliunits_per_hour,
    least(coalesce(epoch(lead(instant) OVER later - instant), 300), 3600) AS seconds,
    commanded_milliunits_per_hour / 1000 * seconds / 3600 AS units
FROM told
WINDOW later AS (PARTITION BY device_id ORDER BY instant, sequence_group, sequence_number)
"""

# A span of basal counts to the day it begins in.
INSULIN_BY_DAY = """
CREATE VIEW insulin_by_day AS
SELECT
    device_id, day, round(sum(basal), 3) AS basal_units, round(sum(bolus), 3) AS bolus_units,
    round(sum(basal) + sum(bolus), 3) AS total_units, sum(carbs)::BIGINT AS bolus_carbs_grams, sum(given)::BIGINT AS boluses
FROM (
    SELECT device_id, pump_time::DATE AS day, units AS basal, 0 AS bolus, 0 AS carbs, 0 AS given FROM basal_spans
    UNION ALL
    SELECT device_id, pump_time::DATE, 0, coalesce(delivered_units, 0), coalesce(carbs_grams, 0), 1 FROM boluses
)
GROUP BY device_id, day
"""

GLUCOSE_VALUES = """
CREATE VIEW glucose_values AS
SELECT device_id, instant, any_value(pump_time) AS pump_time, arg_max(glucose_mg_dl, (sequence_group, sequence_number)) AS glucose_mg_dl
FROM cgm_readings
WHERE glucose_mg_dl IS NOT NULL
GROUP BY device_id, instant
"""

METRICS = """
    count(*) AS readings,
    round(count(*) / (288 * {days}), 4) AS share_of_readings,
    round(avg(glucose_mg_dl), 1) AS mean_mg_dl,
    round(avg(glucose_mg_dl) / 18.0156, 2) AS mean_mmol_l,
    round(stddev_samp(glucose_mg_dl), 1) AS standard_deviation_mg_dl,
    round(stddev_samp(glucose_mg_dl) / 18.0156, 2) AS standard_deviation_mmol_l,
    round(100 * stddev_samp(glucose_mg_dl) / avg(glucose_mg_dl), 1) AS coefficient_of_variation_percent,
    round(3.31 + 0.02392 * avg(glucose_mg_dl), 2) AS glucose_management_indicator_percent,
    round(12.71 + 4.70587 * avg(glucose_mg_dl) / 18.0156, 1) AS glucose_management_indicator_mmol_mol,
    round(count(*) FILTER (glucose_mg_dl < 70) / count(*), 4) AS below_70,
    round(count(*) FILTER (glucose_mg_dl < 54) / count(*), 4) AS below_54,
    round(count(*) FILTER (glucose_mg_dl >= 54 AND glucose_mg_dl < 70) / count(*), 4) AS from_54_to_69,
    round(count(*) FILTER (glucose_mg_dl >= 70 AND glucose_mg_dl <= 180) / count(*), 4) AS in_range_70_to_180,
    round(count(*) FILTER (glucose_mg_dl >= 70 AND glucose_mg_dl <= 140) / count(*), 4) AS in_tight_range_70_to_140,
    round(count(*) FILTER (glucose_mg_dl > 180) / count(*), 4) AS above_180,
    round(count(*) FILTER (glucose_mg_dl > 180 AND glucose_mg_dl <= 250) / count(*), 4) AS from_181_to_250,
    round(count(*) FILTER (glucose_mg_dl > 250) / count(*), 4) AS above_250
"""

GLUCOSE_BY_DAY = f"""
CREATE VIEW glucose_by_day AS
SELECT device_id, pump_time::DATE AS day, {METRICS.format(days="1")}, count(*) >= 0.7 * 288 AS sufficient
FROM glucose_values
GROUP BY device_id, day
"""  # noqa: S608  # our own words

# The last 14, 30 and 90 days with the last reading in them, and all days.
GLUCOSE_BY_SPAN = f"""
CREATE VIEW glucose_by_span AS
WITH ends AS (
    SELECT device_id, min(pump_time)::DATE AS first_ever, max(pump_time)::DATE AS last_day FROM glucose_values GROUP BY device_id
),
spans AS (
    SELECT device_id, name, greatest(coalesce(last_day - (length - 1), first_ever), first_ever) AS first_day, last_day,
        date_diff('day', first_day, last_day) + 1 AS days
    FROM ends, (VALUES ('14 days', 14), ('30 days', 30), ('90 days', 90), ('all', NULL)) AS lengths (name, length)
)
SELECT
    device_id, name AS span, first_day, last_day, days, {METRICS.format(days="days")},
    days >= 14 AND count(*) >= 0.7 * 288 * days AS sufficient
FROM glucose_values JOIN spans USING (device_id)
WHERE pump_time::DATE BETWEEN first_day AND last_day
GROUP BY device_id, name, first_day, last_day, days
"""  # noqa: S608  # our own words


def upgrade() -> None:
    for view in (BASAL_SPANS, INSULIN_BY_DAY, GLUCOSE_VALUES, GLUCOSE_BY_DAY, GLUCOSE_BY_SPAN):
        op.execute(view)


def downgrade() -> None:
    for name in ("glucose_by_span", "glucose_by_day", "glucose_values", "insulin_by_day", "basal_spans"):
        op.execute(f"DROP VIEW {name}")
