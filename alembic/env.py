"""Connect Alembic to the database: through the connection it is given, or through `-x url=...`."""

import warnings
from typing import Literal

from alembic import context
from alembic.ddl.impl import DefaultImpl
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, DateTime, Engine, Float
from sqlalchemy.sql.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from pipeline.models import Base
from pipeline.store.engine import connect
from tfx.errors import UsageError


class DuckDBImpl(DefaultImpl):
    """Alembic knows no DuckDB; its general implementation is right for it."""

    __dialect__ = "duckdb"
    transactional_ddl = True


def same_type(
    _context: MigrationContext,
    _reflected_column: Column[object],
    _column: Column[object],
    reflected: TypeEngine[object],
    declared: TypeEngine[object],
) -> bool | None:
    """False where reflection cannot tell the difference: duckdb-engine reflects TIMESTAMPTZ without its zone, DOUBLE as FLOAT."""
    alike = any(isinstance(reflected, kind) and isinstance(declared, kind) for kind in (DateTime, Float))
    return False if alike else None


def compared(
    _item: SchemaItem,
    _name: str | None,
    kind: Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint", "check_constraint"],
    _reflected: bool,
    _other: SchemaItem | None,
) -> bool:
    """Whether autogenerate may compare this. duckdb-engine reflects no index, and DuckDB keeps no name of a unique constraint."""
    return kind not in ("index", "unique_constraint")


def run_on(connection: Connection) -> None:
    """Migrate over this connection."""
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_type=same_type, include_object=compared, include_schemas=False
    )
    with warnings.catch_warnings():
        # duckdb-engine says so whenever a table is reflected; what follows from it is in `compared`.
        warnings.filterwarnings("ignore", "duckdb-engine doesn't yet support reflection on indices")
        with context.begin_transaction():
            context.run_migrations()


def main() -> None:
    """Take what was handed in; open and close what was not."""
    given = context.config.attributes.get("connection")
    if isinstance(given, Connection):
        run_on(given)
        return
    url = context.get_x_argument(as_dictionary=True).get("url")
    if context.is_offline_mode():
        context.configure(dialect_name="duckdb", target_metadata=Base.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    if not isinstance(given, Engine) and not isinstance(url, str):
        raise UsageError("no database to migrate; name one: alembic -x url=duckdb:///warehouse.duckdb upgrade head")
    engine = given if isinstance(given, Engine) else connect(str(url))
    with engine.connect() as connection:
        run_on(connection)
        connection.commit()
    if engine is not given:
        engine.dispose()


main()
