"""Clock changes of pumps in a table of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_TIME_CHANGED = 13


def upgrade() -> None:
    op.create_table(
        "clock_settings",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_seconds", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.execute(
        "INSERT INTO clock_settings SELECT device_id, sequence_group, sequence_number, pump_seconds, payload "  # noqa: S608  # our own words
        f"FROM raw_events WHERE code = {_TIME_CHANGED}"
    )


def downgrade() -> None:
    op.drop_table("clock_settings")
