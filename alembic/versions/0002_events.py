"""Events by name and time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pump_time", sa.DateTime(), nullable=True),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock", sa.String(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("events")
