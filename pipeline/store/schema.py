"""The schema of a warehouse: its revisions, and whether a database has one of them as tfx made it."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import DateTime, Engine

from pipeline.store.engine import driver, shown
from tfx.errors import UsageError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.types import TypeEngine

_HERE: Final = Path(__file__).parents[1]


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to that revision; nothing happens where it is there already."""
    from alembic import command

    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def head() -> str:
    """The newest revision of the schema."""
    return revisions()[-1]


@cache
def revisions() -> tuple[str, ...]:
    """Every revision of the schema, oldest first."""
    from alembic.script import ScriptDirectory

    return tuple(reversed([step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()]))


def _config() -> "Config":
    from alembic.config import Config

    packaged = _HERE / "alembic"  # beside the package in a wheel, beside its folder in the repository
    config = Config()
    config.set_main_option("script_location", str(packaged if packaged.is_dir() else _HERE.parent / "alembic"))
    config.set_main_option("path_separator", "os")
    return config


def see_its_schema(engine: Engine, url: str, *, upgrade: bool) -> str | None:
    """The revision of the schema; None for an empty database.

    Raises UsageError for tables that are no warehouse, a schema that only a newer tfx knows, and, without `upgrade`, an older one.
    """
    with engine.connect() as connection:
        tables = {name for (name,) in driver(connection).execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()}
        if "alembic_version" not in tables:
            if tables:
                raise UsageError(f"the database {shown(url)} was not made by tfx: its tables are others; name another file with --database")
            if not upgrade:
                raise _unfinished(url)
            return None
        found = [str(revision) for (revision,) in driver(connection).execute("SELECT version_num FROM alembic_version").fetchall()]
    *older, newest = revisions()
    if strangers := set(found) - {*older, newest}:
        told = ", ".join(sorted(strangers))
        raise UsageError(f"the database {shown(url)} was made by a newer tfx (schema {told}; this one knows {newest}); install that one")
    if len(found) != 1:
        raise strange_schema(url, f" (alembic_version has {len(found)} rows)")
    if not upgrade and found != [newest]:
        raise UsageError(
            f"the database {shown(url)} has the schema of an older tfx ({found[0]}; today's is {newest}); "
            f"bring it up to date with: tfx pipeline upgrade --database {shown(url)}"
        )
    return found[0]


def _unfinished(url: str) -> UsageError:
    return UsageError(
        f"the database {shown(url)} is empty, as one is whose first run was killed while making it; "
        f"fill it with: tfx pipeline run --database {shown(url)}"
    )


def strange_schema(url: str, what: str = "") -> UsageError:
    """What is said of a schema that no migration made."""
    return UsageError(
        f"the schema of the database {shown(url)} is not the one this tfx made{what}: somebody changed it by hand; "
        "run again into a new file, named with --database"
    )


def see_its_columns(engine: Engine, url: str) -> None:
    """Refuse a warehouse in which a table, a view, a key or a column of today's schema is missing, or a column has another type."""
    from pipeline.models import VIEWS, Base

    tables = Base.metadata.tables.values()
    with engine.connect() as connection:
        columns = (
            driver(connection).execute("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal").fetchall()
        )
        kept = driver(connection).execute(_KEYS).fetchall()
    types = {(str(table), str(column)): str(kind) for table, column, kind in columns}
    wanted = {(table.name, column.name): _type_of(column.type) for table in tables for column in table.columns}
    keys = {(table.name, ", ".join(column.name for column in table.primary_key)) for table in tables if len(table.primary_key)}
    views = {*VIEWS} - {table for table, _ in types}
    odd = [f"{'.'.join(place)} is {types.get(place, 'missing')}" for place, kind in sorted(wanted.items()) if types.get(place) != kind]
    odd += [f"{view} is missing" for view in sorted(views)] + [f"the key of {table} is missing" for table, _ in sorted(keys - {*kept})]
    if odd:
        raise strange_schema(url, f" ({', '.join(odd[:3])})")


_KEYS: Final = """
SELECT table_name, array_to_string(constraint_column_names, ', ') FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'
"""


def _type_of(kind: "TypeEngine[object]") -> str:
    """DuckDB's own word for a type of a model."""
    if isinstance(kind, DateTime):
        return "TIMESTAMP WITH TIME ZONE" if kind.timezone else "TIMESTAMP"
    return str(kind)
