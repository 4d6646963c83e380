"""Golden outputs: the pipeline's tables for each committed cassette, one readable JSON file per table.

python tests/support/golden.py        write tests/expected/ and docs/replay-properties.md anew; review the diff
"""

import json
import shutil
from pathlib import Path
from typing import cast

import properties

from pipeline.inspection.summary import summary, view_rows
from pipeline.running.runs import Order, perform
from pipeline.store.warehouse import in_memory
from tfx.jsonbody import Json

ROOT = Path(__file__).parents[2]
EXPECTED = ROOT / "tests" / "expected"
NAMES = tuple(sorted(path.stem for path in (ROOT / "cassettes").glob("*.json")))


def outputs(name: str) -> dict[str, Json]:
    """File name to content: row counts, sums, first and last rows of each table, and the summary of the run."""
    engine = in_memory()
    try:
        perform(engine, Order(mode="incremental", cassette=str(ROOT / "cassettes" / f"{name}.json")))
        with engine.connect() as connection:
            report = summary(connection)
            by_day = {view: view_rows(connection, view) for view in ("glucose_by_day", "insulin_by_day")}
    finally:
        engine.dispose()
    plain = cast("dict[str, Json]", json.loads(json.dumps(report)))
    tables = cast("dict[str, Json]", plain.pop("tables"))
    days = {view: cast("Json", json.loads(json.dumps(rows))) for view, rows in by_day.items()}
    return {f"{name}.json": content for name, content in (tables | days).items()} | {"summary.json": plain}


def written(content: Json) -> str:
    """The text of a golden file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every golden file anew."""
    found = {name: outputs(name) for name in NAMES}
    properties.PAGE.write_text(properties.page(properties.table()), encoding="utf-8")
    shutil.rmtree(EXPECTED, ignore_errors=True)
    for name, files in found.items():
        (EXPECTED / name).mkdir(parents=True)
        for file, content in files.items():
            (EXPECTED / name / file).write_text(written(content), encoding="utf-8")


if __name__ == "__main__":
    main()
