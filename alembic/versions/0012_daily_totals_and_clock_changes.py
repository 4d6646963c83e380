"""The pump's own daily totals, and changes of its clock."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# The events that are there already are to be worked out by the next run.
ALL_STALE = """
INSERT OR REPLACE INTO stale_ranges
SELECT device_id, sequence_group, min(sequence_number), max(sequence_number) FROM events GROUP BY ALL
"""


def upgrade() -> None:
    op.create_table(
        "daily_totals",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("basal_units", sa.Double(), nullable=False),
        sa.Column("basal_units_per_hour", sa.Double(), nullable=False),
        sa.Column("insulin_on_board_units", sa.Double(), nullable=False),
        sa.Column("battery_percent", sa.SmallInteger(), nullable=False),
        sa.Column("battery_millivolts", sa.Integer(), nullable=False),
        sa.Column("told_pump_time", sa.DateTime(), nullable=False),
        sa.Column("told_instant", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.create_table(
        "clock_changes",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("milliseconds_before", sa.Integer(), nullable=True),
        sa.Column("milliseconds_after", sa.Integer(), nullable=True),
        sa.Column("day_before", sa.Date(), nullable=True),
        sa.Column("day_after", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.execute(ALL_STALE)


def downgrade() -> None:
    op.drop_table("clock_changes")
    op.drop_table("daily_totals")
