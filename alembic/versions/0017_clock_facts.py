"""What is known of pumps' clocks. The next run that stores anything of a pump corrects its older instants."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.drop_table("clock_settings")
    op.create_table(
        "clock_facts",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("moment", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("shift_seconds", sa.BigInteger(), nullable=False),
        sa.Column("pump_seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "kind", "sequence_number", "moment"),
    )


def downgrade() -> None:
    op.drop_table("clock_facts")
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
        "INSERT INTO clock_settings SELECT device_id, sequence_group, sequence_number, pump_seconds, payload "
        "FROM raw_events WHERE code = 13"
    )
