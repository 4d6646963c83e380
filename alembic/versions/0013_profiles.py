"""Profiles and their segments, from the account's list of pumps."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("insulin_duration_minutes", sa.Integer(), nullable=False),
        sa.Column("most_bolus_milliunits", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.PrimaryKeyConstraint("device_id", "number"),
    )
    op.create_table(
        "profile_segments",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("segment", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("start_minutes", sa.Integer(), nullable=False),
        sa.Column("basal_milliunits_per_hour", sa.Integer(), nullable=False),
        sa.Column("carb_ratio_grams_per_unit", sa.Double(), nullable=False),
        sa.Column("target_mg_dl", sa.Integer(), nullable=False),
        sa.Column("correction_mg_dl_per_unit", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.PrimaryKeyConstraint("device_id", "number", "segment"),
    )


def downgrade() -> None:
    op.drop_table("profile_segments")
    op.drop_table("profiles")
