"""Basal deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "basal_deliveries",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("commanded_milliunits_per_hour", sa.Integer(), nullable=False),
        sa.Column("profile_milliunits_per_hour", sa.Integer(), nullable=True),
        sa.Column("algorithm_milliunits_per_hour", sa.Integer(), nullable=True),
        sa.Column("temporary_milliunits_per_hour", sa.Integer(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("basal_deliveries")
