"""Sensor readings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "cgm_readings",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("sensor", sa.String(), nullable=False),
        sa.Column("glucose_mg_dl", sa.SmallInteger(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("rate_mg_dl_per_minute", sa.Double(), nullable=True),
        sa.Column("backfilled", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("cgm_readings")
