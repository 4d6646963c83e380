"""One rival of `replayers.py`, measured in this process: `python replayer_rival.py NAME FILE COUNT` prints CPU seconds and megabytes.

Runs in the environment of tfx or of the peers; `write` makes the peers' own files out of `plain.json`. Asked are COUNT exchanges evenly
spread over the file, on one session, with the headers every client of the bff sends. What a library imports when it is first used is
not counted as loading: each plays a file of one exchange before.
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

    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self._answers = {row["url"]: row for row in rows}

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        row = self._answers[str(request.url)]
        body = io.BytesIO(str(row["body"]).encode())
        headers: dict[str, str] = row["headers"]  # type: ignore[assignment]  # JSON's
        built: requests.Response = self.build_response(request, HTTPResponse(body=body, status=200, headers=headers, preload_content=False))
        return built


@contextlib.contextmanager
def floor(path: Path) -> Iterator[requests.Session]:
    session = requests.Session()
    session.mount("https://", Floor(rows_of(path)))
    yield session


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
    "floor of the peers": floor,
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
from replayer_rival import spread, asked, memory, SENT
import pytest, requests, time

URLS = spread({plain!r}, {count})
LOAD = time.process_time()

@pytest.mark.vcr({file!r})
def test_all():
    load = time.process_time() - LOAD
    start = time.process_time()
    asked(requests.Session(), URLS)
    took = (time.process_time() - start) / len(URLS)
    open("measured.json", "w").write(json.dumps(dict(load=load, request=took, peak=memory("VmHWM"), before=0)))
"""


def spread(plain: str, count: int) -> list[str]:
    rows = rows_of(Path(plain))
    return [str(row["url"]) for row in rows[:: max(1, len(rows) // count)]][:count]


def urls_of(path: Path) -> list[str]:
    """What is on the file, told by another process: the memory it takes is not the rival's."""
    listing = "import json, sys; print(json.dumps([row['url'] for row in json.load(open(sys.argv[1]))]))"
    line = [sys.executable, "-c", listing, str(path.with_name("plain.json"))]
    found: list[str] = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    return found


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
    every = urls_of(path)
    urls = every[:: max(1, len(every) // count)][:count]
    small = path.parent / "one" / path.name
    if path.parent.name != "one":
        with RIVALS[name](small) as session:
            asked(session, urls_of(small)[:1])
    before = memory("VmRSS")
    start = time.process_time()
    with RIVALS[name](path) as session:
        loaded = time.process_time()
        asked(session, urls)
        took = (time.process_time() - loaded) / len(urls)
    return {"load": loaded - start, "request": took, "peak": memory("VmHWM"), "before": before}


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
