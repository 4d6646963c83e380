"""Profiles and their segments as each upload has them, from the account's list of pumps."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

# A version is in force from the first upload that tells it until the next upload that tells another one. Uploads without a time cannot be
# put in order; they stay in profile_tellings.
PROFILE_HISTORY = """
CREATE VIEW profile_history AS
WITH changes AS (
    SELECT device_id, uploaded, version
    FROM profile_tellings
    WHERE uploaded IS NOT NULL
    WINDOW told AS (PARTITION BY device_id ORDER BY uploaded, version)
    QUALIFY lag(version) OVER told IS DISTINCT FROM version
),
spans AS (
    SELECT device_id, version, uploaded AS valid_from, lead(uploaded) OVER told AS valid_until
    FROM changes
    WINDOW told AS (PARTITION BY device_id ORDER BY uploaded, version)
)
SELECT device_id, valid_from, valid_until, version, number, name, active, insulin_duration_minutes, most_bolus_milliunits
FROM spans JOIN profiles USING (device_id, version)
"""


def upgrade() -> None:
    op.create_table(
        "profile_tellings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("uploaded", sa.DateTime(), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "profiles",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("insulin_duration_minutes", sa.Integer(), nullable=False),
        sa.Column("most_bolus_milliunits", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.PrimaryKeyConstraint("device_id", "version", "number"),
    )
    op.create_table(
        "profile_segments",
        sa.Column("device_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("segment", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("start_minutes", sa.Integer(), nullable=False),
        sa.Column("basal_milliunits_per_hour", sa.Integer(), nullable=False),
        sa.Column("carb_ratio_grams_per_unit", sa.Double(), nullable=False),
        sa.Column("target_mg_dl", sa.Integer(), nullable=False),
        sa.Column("correction_mg_dl_per_unit", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.PrimaryKeyConstraint("device_id", "version", "number", "segment"),
    )
    op.execute(PROFILE_HISTORY)


def downgrade() -> None:
    op.execute("DROP VIEW profile_history")
    op.drop_table("profile_segments")
    op.drop_table("profiles")
    op.drop_table("profile_tellings")
