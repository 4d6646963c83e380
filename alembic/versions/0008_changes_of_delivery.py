"""Changes of the basal rate, and suspensions."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# The events that are there already are to be worked out by the next run.
ALL_STALE = """
INSERT OR REPLACE INTO stale_ranges
SELECT device_id, sequence_group, min(sequence_number), max(sequence_number) FROM events GROUP BY ALL
"""


def upgrade() -> None:
    op.create_table(
        "basal_changes",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("change", sa.String(), nullable=True),
        sa.Column("profile", sa.Integer(), nullable=False),
        sa.Column("commanded_units_per_hour", sa.Double(), nullable=False),
        sa.Column("base_units_per_hour", sa.Double(), nullable=False),
        sa.Column("most_units_per_hour", sa.Double(), nullable=False),
    )
    op.create_table(
        "suspensions",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("reservoir_units", sa.Integer(), nullable=True),
        sa.Column("resumed_pump_time", sa.DateTime(), nullable=True),
        sa.Column("resumed_instant", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.execute(ALL_STALE)


def downgrade() -> None:
    op.drop_table("suspensions")
    op.drop_table("basal_changes")
