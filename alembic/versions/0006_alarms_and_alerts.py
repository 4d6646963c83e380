"""Alarms and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "alarms_and_alerts",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )


def downgrade() -> None:
    op.drop_table("alarms_and_alerts")
