"""The page stands alone, escapes what it shows, and draws each reading where it belongs."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import tape

from replayer.contents.glucose import Reading, readings
from replayer.contents.page import page
from replayer.contents.picture import HEIGHT, LEFT, RIGHT, WIDTH, picture
from replayer.contents.summary import contents
from tandem.bff import events_from_records
from tandem.records import Records
from tfx import store
from tfx.cassette import Cassette
from tfx.cli import run

CASSETTES = Path(__file__).parents[3] / "cassettes"
VOID = {"meta", "br", "link", "img"}
DAY = 520_000_000 // 86_400 * 86_400
"""A midnight in June 2024, in pump seconds."""


class Reader(HTMLParser):
    """Every element and its attributes, every text, and whether each element was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def shown(cassette: Cassette) -> Reader:
    return Reader(page(cassette, contents(cassette)))


def sensor(code: int, *messages: tuple[int, int, int]) -> Records:
    """Messages of a sensor: seconds, status, shown value; written a minute after the reading."""
    when, status, value = ([one[place] for one in messages] for place in range(3))
    columns = {"egvTimeStamp": when, "glucoseValueStatus": status, "currentGlucoseDisplayValue": value}
    return Records.build(code=code, seconds=[one + 60 for one in when], sequence=list(range(1, len(when) + 1)), columns=columns)


def recorded(era: str, records: Records) -> Cassette:
    if era == "2025":
        url = "https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/1/2?minDate=2024-06-01&maxDate=2024-06-30"
        exchange = tape.exchange("GET", url, got=tape.JSON, answer=records.to_body())
    else:
        events = events_from_records(records, device_assignment_id=tape.PUMP)
        answer = tape.as_json({"events": events, "clockChanges": []})
        exchange = tape.exchange("GET", tape.logs_url("2024-06-01", "2024-06-30"), got=tape.JSON, answer=answer)
    return tape.with_exchanges(tape.session(era), exchange, exchange)


MESSAGES: tuple[tuple[tuple[int, int, int], Reading | None, str], ...] = (
    ((DAY, 0, 120), (DAY, 120), "a value"),
    ((DAY, 2, 0), (DAY, 39), "low has no value"),
    ((DAY, 1, 0), (DAY, 401), "nor has high"),
    ((DAY, 0, 12), (DAY, 39), "below what is shown"),
    ((DAY, 0, 0), None, "a message without a reading"),
    ((DAY, 6, 120), None, "do not show"),
    ((0, 0, 120), None, "no time"),
)


@pytest.mark.parametrize("era", ["2025", "2026-10"])
@pytest.mark.parametrize("code", [256, 372, 399, 480])
def test_readings_are_what_the_service_shows(era: str, code: int) -> None:
    for message, expected, why in MESSAGES:
        assert readings(recorded(era, sensor(code, message))) == (() if expected is None else (expected,)), why


def test_a_reading_in_two_answers_counts_once_and_backfill_falls_into_its_place() -> None:
    cassette = recorded("2026-10", sensor(399, (DAY + 600, 0, 130), (DAY, 0, 120)))
    assert readings(cassette) == ((DAY, 120), (DAY + 600, 130))


def test_each_dot_has_its_place_and_band() -> None:
    drawn = ET.fromstring(picture([(DAY, 60), (DAY + 43_200, 120), (DAY + 86_400, 401)]))
    dots = {one.get("class"): one.get("d") for one in drawn.iter("path")}
    middle = (LEFT + WIDTH - RIGHT) / 2
    assert list(dots) == ["dot low", "dot in", "dot high"]
    assert str(dots["dot low"]).startswith(f"M{LEFT}.0 ")
    assert str(dots["dot in"]).startswith(f"M{middle:.1f} ")
    assert dots["dot high"] == f"M{WIDTH - RIGHT}.0 12.0h0"
    heights = [float(str(one).split()[1].removesuffix("h0")) for one in dots.values()]
    assert heights == sorted(heights, reverse=True)
    assert max(heights) < HEIGHT
    title = drawn.find("title")
    assert title is not None
    assert title.text is not None
    assert title.text.startswith("3 sensor readings from 2024-06-")


@pytest.mark.parametrize(
    ("hours", "expected", "why"),
    [
        (0, "06-23 01:00", "one reading: an hour is shown"),
        (3, "06-23 01:00 02:00 03:00", "hours"),
        (24, "06-23 03:00 06:00 09:00 12:00 15:00 18:00 21:00 06-24", "three hours, and the day where one begins"),
        (72, "06-23 12:00 06-24 12:00 06-25 12:00 06-26", "half days"),
        (24 * 40, "06-24 07-01 07-08 07-15 07-22 07-29", "Mondays"),
    ],
)
def test_times_are_told_at_round_places(hours: int, expected: str, why: str) -> None:
    drawn = ET.fromstring(picture([(DAY, 100), (DAY + hours * 3600, 100)]))
    labels = [str(one.text) for one in drawn.iter("text") if one.get("text-anchor") == "middle"]
    assert " ".join(labels) == expected, why


def test_no_readings_no_picture() -> None:
    assert picture([]) == ""
    assert "svg" not in dict(shown(tape.with_exchanges(tape.session())).elements)


@pytest.mark.parametrize("name", ["session-us", "session-eu", "session-2025", "unhappy-us"])
def test_the_page_stands_alone(name: str) -> None:
    cassette = store.load(CASSETTES / f"{name}.json")
    text = page(cassette, contents(cassette))
    read = Reader(text)
    assert read.open == []
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.elements}
    assert not {"src", "href", "action", "style"} & {key for _, attributes in read.elements for key in attributes}
    assert not re.search(r"url\(|@import|https?:", text)
    assert "prefers-color-scheme: dark" in text
    assert {"Glucose", "Exchanges", "Pump events", "Rules applied", "BASAL_RATE_CHANGE"} <= set(read.texts)
    assert sum(tag == "tr" for tag, _ in read.elements) == (
        3 + len(cassette.exchanges) + len(contents(cassette).codes) + len(cassette.rules)
    )


def test_whatever_stands_on_a_cassette_is_text_on_the_page() -> None:
    nasty = "<script>alert('x')</script>&\"$title"
    url = tape.logs_url("2024-07-01", "2024-07-02", eventCodes=nasty)
    cassette = replace(
        tape.with_exchanges(tape.session(), tape.exchange("GET", url, answer=b'{"events":[]}')), name=nasty, values=nasty, rules={nasty: 1}
    )
    text = page(cassette, contents(cassette))
    read = Reader(text)
    assert "<script" not in text
    assert [one for one in read.texts if one == nasty] == [nasty, nasty]  # the heading and the rule
    assert sum(nasty in one for one in read.texts) == 4  # and the page's title, and the line of the values


def test_the_command_writes_the_page_and_never_over_a_cassette(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = store.save(tape.session(), tmp_path)
    before = path.read_bytes()
    out = tmp_path / "session.html"
    assert run(["show", str(path), "--html", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 10 exchanges, 22 pump events\n"
    assert out.read_text("utf-8") == page(store.load(path), contents(store.load(path)))
    assert run(["show", str(path), "--html", str(out)]) == 0, "an older page is no loss"
    capsys.readouterr()
    assert run(["show", str(path), "--html", str(path)]) == 2
    (tmp_path / "index.html").write_text("<!doctype html><title>mine</title>")
    (tmp_path / "link.html").symlink_to(path)
    assert run(["show", str(path), "--html", str(tmp_path / "index.html")]) == 2
    assert run(["show", str(path), "--html", str(tmp_path / "link.html")]) == 2
    assert path.read_bytes() == before
    assert run(["show", str(path), "--html", str(tmp_path / "none" / "x.html")]) == 2
    assert run(["show", str(path), "--html", str(out), "--json"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"tfx: --html writes a page, and {path} does not end in .html; name another file.",
        f"tfx: the page {tmp_path / 'index.html'} would replace a file of another kind; name another file, or remove that one.",
        f"tfx: the page {tmp_path / 'link.html'} would replace {path}, which this command reads or writes; name another file.",
        f"tfx: cannot write {tmp_path / 'none' / 'x.html'} (No such file or directory); name another file, or make room there.",
        "tfx: --html and --json are two forms of the same; leave one out.",
    ]
