"""The extras of the package: which libraries each brings, and what is said where one is missing.

Only `need` and `missing` say it: a command calls `need` before it begins, and `tfx.cli` asks `missing` about any import that failed.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from tfx.errors import UsageError

PACKAGE: Final = "tandem-tfx"

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "serve": ("trustme",),
        "convert": ("vcr", "yaml"),
        "keyring": ("keyring",),
        "pipeline": ("sqlalchemy", "duckdb_engine", "duckdb", "alembic", "pyarrow", "pybase64", "pytz", "tzdata"),
        "simulator": ("trustme", "tzdata", "plotext"),
        "prefect": ("prefect",),
        "dask": ("prefect", "prefect_dask", "distributed"),
    }
)
"""The modules that each extra brings beside those of the extras it includes. Of two extras with one module, the smaller comes first."""


def need(what: str, *extras: str) -> None:
    """See that these extras are installed; `what` needs them.

    Raises:
        UsageError: a library of theirs is missing.
    """
    absent = dict.fromkeys(library for extra in extras for library in EXTRAS[extra] if find_spec(library) is None)
    if absent:
        raise _error(what, tuple(absent), extras)


def missing(library: str | None) -> UsageError | None:
    """The error for a failed import of this module; None if no extra brings it."""
    name = (library or "").partition(".")[0]
    extra = next((extra for extra, libraries in EXTRAS.items() if name in libraries), None)
    return None if extra is None else _error("this command", (name,), (extra,))


def _error(what: str, libraries: tuple[str, ...], extras: tuple[str, ...]) -> UsageError:
    named = " and ".join(extras)
    return UsageError(
        f"{what} needs the extra{'s' if len(extras) > 1 else ''} {named} of tfx (not installed: {', '.join(libraries)}); "
        f"install with: pip install {_source(','.join(extras))}"
    )


def _source(extras: str) -> str:
    """What pip is told: the folder that tfx was installed from, for nothing is released under its name yet."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        origin = json.loads(distribution(PACKAGE).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    url = urlsplit(str(origin.get("url", "")))
    if url.scheme != "file":
        return f'"{PACKAGE}[{extras}]"'
    editable = "--editable " if origin.get("dir_info", {}).get("editable") else ""
    return f'{editable}"{url2pathname(url.path)}[{extras}]"'
