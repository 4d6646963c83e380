"""Command lines that end in an error of tfx, with canaries in files and environment; in addition to canary_rows.py."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from canary import NAME, PASSWORD, UUID, Bench
from canary_calls import CASSETTE

Plant = Callable[[Bench], list[str]]


def said(*words: str) -> Plant:
    """A command line as it stands; CASSETTE is the committed one, HAR a recording with secrets in it."""

    def plant(bench: Bench) -> list[str]:
        names = {"CASSETTE": lambda: bench.plant("session-us.json", CASSETTE), "HAR": lambda: bench.plant("web.har", RECORDING)}
        return [names[word]() if word in names else word for word in words]

    return plant


_LOGS = (
    f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{UUID}?pumperId={UUID}&startDate=2026-11-18T00%3A00%3A00Z&eventCodes=229"
)
RECORDING = json.dumps(
    {
        "log": {
            "entries": [
                {
                    "startedDateTime": "2026-11-18T20:30:00Z",
                    "request": {"method": "GET", "url": _LOGS, "headers": [{"name": "Cookie", "value": f"idsrv={PASSWORD}"}]},
                    "response": {
                        "status": 200,
                        "headers": [{"name": "Content-Type", "value": "application/json"}],
                        "content": {"text": json.dumps({"events": [], "email": f"{NAME}@example.org"})},
                    },
                }
            ]
        }
    }
)


def usage(**changes: object) -> Plant:
    """`tfx prune` with a report of the cassette that is not as it must be."""

    def plant(bench: Bench) -> list[str]:
        name = bench.plant("session-us.json", CASSETTE)
        told = {"sha256": hashlib.sha256(CASSETTE).hexdigest(), "whole": True, "used": [1], "note": NAME} | changes
        report = bench.plant("usage.json", {"tfx_usage": 1, "whole": False, "cassettes": {name: told}, "note": PASSWORD})
        return ["prune", name, "--usage", report]

    return plant


def orphans(*more: str, whole: bool = True) -> Plant:
    return lambda b: ["orphans", "--usage", b.plant("usage.json", {"tfx_usage": 1, "whole": whole, "cassettes": {}, "note": NAME}), *more]


def read_only(*words: str) -> Plant:
    """A command that is to write where a file stands in the way."""

    def plant(bench: Bench) -> list[str]:
        bench.plant("taken", PASSWORD)
        return said(*words)(bench)

    return plant


def closed(bench: Bench) -> list[str]:
    """A file that cannot be opened at all: its name leads to itself."""
    Path("loop.json").symlink_to("loop.json")
    bench.patch.setattr("pathlib.Path.exists", lambda _self, **_: True)
    return ["sanitize", "loop.json"]


def own_name(bench: Bench) -> list[str]:
    """A cassette that was given a serial number for a name: no rule can mend that."""
    return ["sanitize", "--edited", bench.plant("pump-20001111.json", CASSETTE)]


def two_of_a_name(bench: Bench) -> list[str]:
    """Two cassettes that would become one."""
    for place in ("one", "two"):
        Path(place).mkdir(exist_ok=True)
        Path(place, "week.json").write_bytes(CASSETTE)
    return said("sanitize", "one", "two", "--output", "out")(bench)


def in_a_folder_of_somebody(bench: Bench) -> list[str]:
    """A folder that --output would keep, and --check would refuse."""
    Path("mine", "Somebody").mkdir(parents=True, exist_ok=True)
    Path("mine", "Somebody", "week.json").write_bytes(CASSETTE)
    return said("sanitize", "mine", "--output", "out")(bench)


def beside_another(bench: Bench) -> list[str]:
    """A cassette whose place in --output is taken."""
    bench.plant("taken/session-us.json", NAME)
    return said("sanitize", "CASSETTE", "--output", "taken")(bench)


def suggested_over(bench: Bench) -> list[str]:
    """Rules to be written where the cassette will stand."""
    return said("record", "week", "--simulated", "--suggest", "cassettes/week.json")(bench)


def over_notes(bench: Bench) -> list[str]:
    """A report where something else stands."""
    return said("sanitize", "CASSETTE", "--report", bench.plant("notes.md", f"{NAME}: {PASSWORD}"))(bench)


def through_a_loop(bench: Bench) -> list[str]:
    """A report whose name leads to itself."""
    if not Path("loop.md").is_symlink():
        Path("loop.md").symlink_to("loop.md")
    is_file = Path.is_file
    bench.patch.setattr("pathlib.Path.is_file", lambda path: str(path) == "loop.md" or is_file(path))
    return said("sanitize", "CASSETTE", "--report", "loop.md")(bench)


def folder(*words: str) -> Plant:
    def plant(_: Bench) -> list[str]:
        Path("empty").mkdir(exist_ok=True)
        return list(words)

    return plant


def named_after_somebody(bench: Bench) -> list[str]:
    return [*said("sanitize", "HAR", "--output", "out", "--name")(bench), NAME.lower()]


COMMANDS: tuple[tuple[int, Plant], ...] = (
    (2, said("sanitize", "--check", "CASSETTE", "--output", "out")),
    (2, said("sanitize", "CASSETTE", "--name", "x")),
    (2, said("sanitize", "nowhere")),
    (2, folder("sanitize", "empty")),
    (2, closed),
    (1, own_name),
    (2, said("sanitize", "HAR")),
    (2, said("sanitize", "HAR", "--output", "out", "--clock", "noon")),
    (1, named_after_somebody),
    (2, said("sanitize", "CASSETTE", "--report", "r.txt")),
    (2, read_only("sanitize", "CASSETTE", "--report", "taken/r.json")),
    (2, two_of_a_name),
    (2, in_a_folder_of_somebody),
    (2, beside_another),
    (2, suggested_over),
    (2, over_notes),
    (2, through_a_loop),
    (2, said("sanitize", "CASSETTE", "--report", "session-us.json")),
    (2, lambda b: ["prune", b.plant("x.old", CASSETTE), "--usage", "usage.json"]),
    (2, lambda b: ["demo", "--keep", str(Path(b.plant("demo.json", CASSETTE)).parent)]),
    (2, said("convert", "CASSETTE", "x.har", "--era", "2025")),
    (2, said("convert", "CASSETTE", "x.doc")),
    (2, said("convert", "CASSETTE", "nowhere/x.har")),
    (2, said("convert", "nowhere.har", "x.json")),
    (2, lambda b: ["convert", b.plant("old.json", [{"request": {"uri": NAME, "body": PASSWORD}}]), "x.json"]),
    (2, said("show", "CASSETTE", "--html", "x.txt")),
    (2, said("show", "CASSETTE", "--html", "x.html", "--json")),
    (2, read_only("show", "CASSETTE", "--html", "taken/x.html")),
    (2, said("convert", "CASSETTE", f"{'x' * 250}.har")),  # no file may be called that
    (2, usage(used=[])),
    (2, usage(used=[9])),
    (2, usage(used=list(range(1, 10)))),
    (2, usage(sha256=NAME)),
    (2, usage(whole=False)),
    (2, lambda b: ["prune", b.plant("x.json", CASSETTE), "--usage", b.plant("usage.json", {"tfx_usage": 1, "cassettes": {NAME: 1}})]),
    (2, lambda b: ["prune", b.plant("x.json", CASSETTE), "--usage", b.plant("usage.json", {NAME: PASSWORD})]),
    (2, lambda b: ["prune", b.plant("x.json", CASSETTE), "--usage", b.plant("usage.json", f"{NAME}: {PASSWORD}")]),
    (2, orphans(whole=False)),
    (2, orphans("--cassettes", "nowhere")),
    (2, said("record", "x", "--days", "1", "--since", "2026-11-18")),
    (2, said("record", "x", "--simulated", "--until", "0001-01-01")),
    (2, said("record", "x", "--fault", "any:1:500")),
    (2, said("record", "x", "--days", "1", "--", "app.py")),
    (2, said("record", "x", "--", "app.exe")),
    (2, said("record", "x", "--simulated", "--credentials", "me.toml")),
    (2, said("record", "No Name!")),
    (2, read_only("record", "x", "--cassettes", "taken")),
    (2, said("replay", "CASSETTE")),
    (2, said("replay", "CASSETTE", "--allow", f"{NAME}:1", "--", "-c", "1")),
    (2, said("replay", "CASSETTE", "--serve", "--freeze")),
    (2, said("pipeline", "check", "--database", "duckdb:///nowhere.duckdb")),
    (2, said("pipeline", "serve", "--database", "duckdb:///:memory:")),
    (2, said("pipeline", "run", "--cassette", "CASSETTE", "--days", "1", "--since", "2026-11-18")),
    (2, said("pipeline", "run", "--cassette", "CASSETTE", "--since", "1999-01-01", "--until", "1999-01-02")),
    (2, said("pipeline", "run", "--cassette", "CASSETTE", "--zone", "Mars/Olympus")),
    (2, lambda b: [*said("pipeline", "run", "--cassette", "CASSETTE")(b), "--credentials", b.plant("me.toml", PASSWORD)]),
)
