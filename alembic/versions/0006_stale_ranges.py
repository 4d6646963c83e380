"""Ranges of events for which the derived tables must be computed again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "stale_ranges",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sequence_group", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "sequence_group"),
    )


def downgrade() -> None:
    op.drop_table("stale_ranges")
