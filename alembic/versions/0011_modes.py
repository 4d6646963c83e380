"""User modes and control modes; a row lasts until the next."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

# The events that are there already are to be worked out by the next run.
ALL_STALE = """
INSERT OR REPLACE INTO stale_ranges
SELECT device_id, sequence_group, min(sequence_number), max(sequence_number) FROM events GROUP BY ALL
"""


def upgrade() -> None:
    op.create_table(
        "user_modes",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("previous_mode", sa.String(), nullable=False),
        sa.Column("requested", sa.String(), nullable=False),
        sa.Column("exercise_minutes", sa.Integer(), nullable=True),
        sa.Column("ended_pump_time", sa.DateTime(), nullable=True),
        sa.Column("ended_instant", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.create_table(
        "control_modes",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("previous_mode", sa.String(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("sensor_available", sa.Boolean(), nullable=False),
        sa.Column("closed_loop_preferred", sa.Boolean(), nullable=False),
        sa.Column("ended_pump_time", sa.DateTime(), nullable=True),
        sa.Column("ended_instant", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.execute(ALL_STALE)


def downgrade() -> None:
    op.drop_table("control_modes")
    op.drop_table("user_modes")
