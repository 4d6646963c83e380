"""Measure one tool of `replayers.py` in this process: `replayer_rival.py NAME FILE COUNT` prints CPU seconds and megabytes.

Runs in the environment of tfx or of the peers; `write` makes the peers' own files out of `plain.json`. Asked are COUNT exchanges evenly
spread over the file, each once, on one session, with the headers every client of the bff sends; the floor is asked as much in turns of
a few requests in the same process, so that both meet the same machine. What a library imports when it is first used is not counted as
loading: each plays a file of one exchange before. Last, `json.load` reads the same bytes (of YAML and TOML, the same exchanges as JSON).
"""

import contextlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

SENT = {"Authorization": "Bearer x", "Origin": "https://source.tandemdiabetes.com", "Referer": "https://source.tandemdiabetes.com/"}
WHEN = "2024-07-01T00:00:00"
Row = dict[str, object]


def rows_of(path: Path) -> list[Row]:
    with path.open("rb") as file:
        found: list[Row] = json.load(file)
    return found


class Floor(HTTPAdapter):
    """The least a faithful replay can do: look up, and build a real response."""

    def __init__(self, rows: dict[str, Row]) -> None:
        super().__init__()
        self._answers = rows

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        row = self._answers[str(request.url)]
        body = io.BytesIO(str(row["body"]).encode())
        headers: dict[str, str] = row["headers"]  # type: ignore[assignment]  # JSON's
        built: requests.Response = self.build_response(request, HTTPResponse(body=body, status=200, headers=headers, preload_content=False))
        return built


@contextlib.contextmanager
def floor(path: Path) -> Iterator[requests.Session]:
    yield floor_of({str(row["url"]): row for row in rows_of(path)})


def floor_of(rows: dict[str, Row]) -> requests.Session:
    session, adapter = requests.Session(), Floor(rows)
    # On the session itself, where no rival's patch of the class is seen.
    session.get_adapter = lambda url: adapter  # type: ignore[method-assign]  # noqa: ARG005  # the name is requests' own
    return session


@contextlib.contextmanager
def tfx(path: Path) -> Iterator[requests.Session]:
    from replayer.session import offline

    with offline(path):
        yield requests.Session()


@contextlib.contextmanager
def requests_mock(path: Path) -> Iterator[requests.Session]:
    import requests_mock as library

    with library.Mocker(case_sensitive=True) as mocker:
        for row in rows_of(path):
            mocker.get(str(row["url"]), text=str(row["body"]), headers=row["headers"])
        yield requests.Session()


@contextlib.contextmanager
def responses(path: Path) -> Iterator[requests.Session]:
    import responses as library

    with library.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock._add_from_file(path)  # noqa: SLF001  # the only reader there is
        yield requests.Session()


@contextlib.contextmanager
def betamax(path: Path) -> Iterator[requests.Session]:
    import betamax as library

    session = requests.Session()
    with library.Betamax(session, cassette_library_dir=str(path.parent)).use_cassette(path.stem, record="none"):
        yield session


@contextlib.contextmanager
def vcrpy(path: Path) -> Iterator[requests.Session]:
    import vcr

    with vcr.VCR(serializer=path.suffix[1:], record_mode="none").use_cassette(str(path)):
        yield requests.Session()


@contextlib.contextmanager
def cassetter(path: Path) -> Iterator[requests.Session]:
    import cassetter as library

    with library.use_cassette(str(path), record_mode="none"):
        yield requests.Session()


RIVALS: dict[str, Callable[[Path], AbstractContextManager[requests.Session]]] = {
    "floor": floor,
    "tfx": tfx,
    "requests-mock": requests_mock,
    "responses": responses,
    "betamax": betamax,
    "vcrpy json": vcrpy,
    "vcrpy yaml": vcrpy,
    "cassetter": cassetter,
}
RECORDING = """
import json, sys
sys.path.insert(0, {here!r})
from pathlib import Path
from replayer_rival import asked_in_turns, memory, reading, told
import pytest, requests, time

URLS, ROW = told(Path({plain!r}), {count})
BEFORE, LOAD = memory("VmRSS"), time.process_time()

@pytest.mark.vcr({file!r})
def test_all():
    load = time.process_time() - LOAD
    found = asked_in_turns(requests.Session(), URLS, ROW) | dict(load=load, before=BEFORE, peak=memory("VmHWM"))
    open("measured.json", "w").write(json.dumps(found | dict(reading=reading(Path({plain!r})))))
"""
TURNS = 30


def told(plain: Path, count: int) -> tuple[list[str], Row]:
    """Which exchanges to ask for, and the first of them, which answers as all do; by another process: its memory is not the rival's."""
    listing = (
        "import json, sys; rows = json.load(open(sys.argv[1])); every = max(1, len(rows) // int(sys.argv[2]));"
        "print(json.dumps([[row['url'] for row in rows[::every]][:int(sys.argv[2])], rows[0]]))"
    )
    line = [sys.executable, "-c", listing, str(plain), str(count)]
    urls, row = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    return urls, row


def asked_in_turns(session: requests.Session, urls: list[str], row: Row) -> dict[str, float]:
    """CPU seconds a request of a rival and of the floor, which answers every request with this one row."""
    least = floor_of(dict.fromkeys(urls, row))
    asked(least, urls[:1])
    spent = {"request": 0.0, "floor": 0.0}
    step = max(1, len(urls) // TURNS)
    for start in range(0, len(urls), step):
        for what, one in (("request", session), ("floor", least)):
            begun = time.process_time()
            asked(one, urls[start : start + step])
            spent[what] += time.process_time() - begun
    return {what: seconds / len(urls) for what, seconds in spent.items()}


def reading(path: Path) -> float:
    """CPU seconds `json.load` takes for the file, or for the same exchanges as JSON."""
    with (path if path.suffix == ".json" else path.with_name("plain.json")).open("rb") as file:
        start = time.process_time()
        kept = json.load(file)
        took = time.process_time() - start
    del kept
    return took


def asked(session: requests.Session, urls: list[str]) -> None:
    for url in urls:
        answer = session.get(url, headers=SENT)
        assert answer.ok
        assert answer.content


def memory(what: str) -> float:
    """Megabytes of this process: VmHWM at most so far, VmRSS now."""
    line = next(line for line in Path("/proc/self/status").read_text("utf-8").splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024


def run(name: str, path: Path, count: int) -> dict[str, float]:
    urls, row = told(path.with_name("plain.json"), count)
    small = path.parent / "one" / path.name
    with RIVALS[name](small) as session:
        asked(session, told(small.with_name("plain.json"), 1)[0])
    before = memory("VmRSS")
    start = time.process_time()
    with RIVALS[name](path) as session:
        loaded = time.process_time()
        found = asked_in_turns(session, urls, row)
        peak = memory("VmHWM")
    return found | {"load": loaded - start, "peak": peak, "before": before, "reading": reading(path)}


def recording(path: Path, count: int) -> dict[str, float]:
    """pytest-recording lives in a run of pytest, where cassetter's plugin takes the same option's name."""
    here = str(Path(__file__).parent)
    text = RECORDING.format(here=here, plain=str(path.with_name("plain.json")), count=count, file=str(path))
    path.with_name("test_recorded.py").write_text(text, "utf-8")
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:cassetter", "--record-mode=none", "test_recorded.py"]
    subprocess.run(line, check=True, capture_output=True, cwd=path.parent)
    found: dict[str, float] = json.loads(path.with_name("measured.json").read_text("utf-8"))
    return found


def write(path: Path) -> dict[str, float]:
    """The files of the peers, each in its own format."""
    import yaml

    rows, folder = rows_of(path), path.parent
    headers = [{name: [value] for name, value in row["headers"].items()} for row in rows]  # type: ignore[attr-defined]  # JSON's
    taped = [
        {
            "request": {"method": "GET", "uri": row["url"], "body": None, "headers": {}},
            "response": {"status": {"code": 200, "message": "OK"}, "headers": lines, "body": {"string": row["body"]}},
        }
        for row, lines in zip(rows, headers, strict=True)
    ]
    vcrpy_tape = {"version": 1, "interactions": taped}
    (folder / "vcrpy.json").write_text(json.dumps(vcrpy_tape), "utf-8")
    (folder / "vcrpy.yaml").write_text(yaml.dump(vcrpy_tape, Dumper=yaml.CSafeDumper), "utf-8")
    told = [
        {"response": {"method": "GET", "url": row["url"], "body": row["body"], "status": 200, "content_type": "application/json",
                      "auto_calculate_content_length": False}}
        for row in rows
    ]  # fmt: skip
    (folder / "responses.yaml").write_text(yaml.dump({"responses": told}, Dumper=yaml.CSafeDumper), "utf-8")
    kept = [
        {
            "request": {"body": {"encoding": "utf-8", "string": ""}, "headers": {}, "method": "GET", "uri": row["url"]},
            "response": {
                "body": {"encoding": "utf-8", "string": row["body"]},
                "headers": lines,
                "status": {"code": 200, "message": "OK"},
                "url": row["url"],
            },
            "recorded_at": WHEN,
        }
        for row, lines in zip(rows, headers, strict=True)
    ]
    (folder / "betamax.json").write_text(json.dumps({"http_interactions": kept, "recorded_with": "betamax/0.9.0"}), "utf-8")
    _write_cassetter(folder, rows)
    return {}


def _write_cassetter(folder: Path, rows: list[Row]) -> None:
    """Written by cassetter itself."""
    import cassetter as library

    cassette = library.Cassette(str(folder / "cassetter.toml"), record_mode=library.RecordMode.ALL)
    for row in rows:
        headers = {name: [value] for name, value in row["headers"].items()}  # type: ignore[attr-defined]  # JSON's
        cassette.record("GET", str(row["url"]), {}, None, 200, headers, str(row["body"]).encode())
    cassette.save()


if __name__ == "__main__":
    rival, file, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    special = {"write": lambda: write(file), "pytest-recording": lambda: recording(file, number)}
    print(json.dumps(special.get(rival, lambda: run(rival, file, number))()))
