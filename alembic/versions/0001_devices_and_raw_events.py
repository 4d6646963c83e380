"""Devices, events as received, and quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("serial_number", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("model_number", sa.String(), nullable=True),
        sa.Column("model_name", sa.String(), nullable=True),
        sa.Column("software_version", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("serial_number"),
    )
    op.create_table(
        "raw_events",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("era", sa.String(), nullable=False),
        sa.Column("code", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("pump_seconds", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("sequence_group", sa.Integer(), nullable=True),
        sa.Column("sequence_number", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("quarantine")
    op.drop_table("raw_events")
    op.drop_table("devices")
