"""Values entered by a person: carbohydrates and blood glucose."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# The events that are there already are to be worked out by the next run.
ALL_STALE = """
INSERT OR REPLACE INTO stale_ranges
SELECT device_id, sequence_group, min(sequence_number), max(sequence_number) FROM events GROUP BY ALL
"""


def upgrade() -> None:
    op.create_table(
        "carbohydrates",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("carbs_grams", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.create_table(
        "blood_glucose_readings",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("glucose_mg_dl", sa.SmallInteger(), nullable=False),
        sa.Column("entered", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("calibration", sa.Boolean(), nullable=False),
        sa.Column("target_mg_dl", sa.SmallInteger(), nullable=True),
        sa.Column("insulin_on_board_units", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.execute(ALL_STALE)


def downgrade() -> None:
    op.drop_table("blood_glucose_readings")
    op.drop_table("carbohydrates")
