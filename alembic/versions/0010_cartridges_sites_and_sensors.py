"""Cartridge and site changes, and sensor sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

# The events that are there already are to be worked out by the next run.
ALL_STALE = """
INSERT OR REPLACE INTO stale_ranges
SELECT device_id, sequence_group, min(sequence_number), max(sequence_number) FROM events GROUP BY ALL
"""


def upgrade() -> None:
    op.create_table(
        "cartridge_and_site_changes",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("units", sa.Double(), nullable=True),
        sa.Column("completion", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.create_table(
        "sensor_sessions",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("sensor", sa.String(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("joins", sa.Integer(), nullable=False),
        sa.Column("duration_days", sa.SmallInteger(), nullable=True),
        sa.Column("joined_pump_time", sa.DateTime(), nullable=True),
        sa.Column("joined_instant", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_pump_time", sa.DateTime(), nullable=True),
        sa.Column("stopped_instant", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_reason", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.execute(ALL_STALE)


def downgrade() -> None:
    op.drop_table("sensor_sessions")
    op.drop_table("cartridge_and_site_changes")
