"""Boluses and the messages they are joined from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "bolus_messages",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("code", sa.SmallInteger(), nullable=False),
        sa.Column("bolus_id", sa.Integer(), nullable=False),
        sa.Column("requested_units", sa.Double(), nullable=True),
        sa.Column("delivered_units", sa.Double(), nullable=True),
        sa.Column("food_units", sa.Double(), nullable=True),
        sa.Column("correction_units", sa.Double(), nullable=True),
        sa.Column("carbs_grams", sa.Integer(), nullable=True),
        sa.Column("glucose_mg_dl", sa.Integer(), nullable=True),
        sa.Column("extended_minutes", sa.Integer(), nullable=True),
        sa.Column("bolus_type", sa.String(), nullable=True),
        sa.Column("delivery", sa.String(), nullable=True),
        sa.Column("completion", sa.String(), nullable=True),
    )
    op.create_table(
        "boluses",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pump_time", sa.DateTime(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("bolus_id", sa.Integer(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("bolus_type", sa.String(), nullable=True),
        sa.Column("delivery", sa.String(), nullable=True),
        sa.Column("requested_units", sa.Double(), nullable=True),
        sa.Column("delivered_units", sa.Double(), nullable=True),
        sa.Column("food_units", sa.Double(), nullable=True),
        sa.Column("correction_units", sa.Double(), nullable=True),
        sa.Column("carbs_grams", sa.Integer(), nullable=True),
        sa.Column("glucose_mg_dl", sa.Integer(), nullable=True),
        sa.Column("extended_minutes", sa.Integer(), nullable=True),
        sa.Column("completion", sa.String(), nullable=True),
        sa.Column("completed_pump_time", sa.DateTime(), nullable=True),
        sa.Column("completed_instant", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id", "sequence_group", "sequence_number"],
            ["raw_events.device_id", "raw_events.sequence_group", "raw_events.sequence_number"],
        ),
        sa.PrimaryKeyConstraint("device_id", "sequence_group", "sequence_number"),
    )


def downgrade() -> None:
    op.drop_table("boluses")
    op.drop_table("bolus_messages")
