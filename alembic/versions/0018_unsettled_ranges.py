"""Ranges of events whose instants must be computed again: all of a clock of which no facts are stored."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "unsettled_ranges",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "sequence_group"),
    )
    op.execute(
        "INSERT INTO unsettled_ranges SELECT device_id, sequence_group, min(sequence_number), max(sequence_number) FROM events "
        "WHERE (device_id, sequence_group) NOT IN (SELECT (device_id, sequence_group) FROM clock_facts) GROUP BY ALL"
    )


def downgrade() -> None:
    # An older tfx computes instants again where it knows no facts of the clock.
    op.execute("DELETE FROM clock_facts WHERE (device_id, sequence_group) IN (SELECT (device_id, sequence_group) FROM unsettled_ranges)")
    op.drop_table("unsettled_ranges")
