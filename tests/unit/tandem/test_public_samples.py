"""Every public record and event known, where the folder with them is at hand: they are other people's and not in this repository."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tandem.bff import events_from_records, records_from_events
from tandem.bounds import BOUNDS, outside
from tandem.events import EVENTS
from tandem.records import Records

SHARED = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the public samples are not part of this repository")


def lines(name: str) -> list[dict[str, Any]]:
    path = SHARED / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def test_every_record_decodes_to_the_values_stated_with_it() -> None:
    samples = lines("pump_records.jsonl")
    assert samples
    for sample in samples:
        record = Records.parse(bytes.fromhex(sample["hex"]))
        assert (record.code.item(), record.source.item()) == (sample["event_id"], sample["source_nibble"])
        assert (record.seconds.item(), record.sequence.item()) == (sample["timestampRaw"], sample["seqNum"])
        decoded = {name.lower(): column.item() for name, column in record.columns(record.code.item()).items()}
        for name, value in (sample.get("parsed") or {}).items():
            ours = decoded.get(name.lower(), decoded.get(name.lower().removesuffix("raw")))
            if not (record.code.item() == 81 and name.startswith("battery")):  # tconnectsync's layout of it is wrong
                assert ours is not None, name
                np.testing.assert_equal(ours, value, err_msg=name)


def test_the_battery_is_what_pumpx2_states() -> None:
    stated = [sample for sample in lines("pump_records.jsonl") if "actualBatteryCharge" in sample["expected"]]
    assert stated
    for sample in stated:
        columns = Records.parse(bytes.fromhex(sample["hex"])).columns(81)
        assert columns["batteryLipoMilliVolts"].item() == sample["expected"]["lipoMv"]
        assert columns["batteryChargePercent"].item() == sample["expected"]["actualBatteryCharge"]
        assert (columns["batteryStatus"].item() == 1) == sample["expected"]["isBatteryCharging"]


def test_every_event_becomes_its_record_and_comes_back_to_the_letter() -> None:
    samples = lines("pump_log_events.jsonl")
    assert samples
    for sample in samples:
        event = sample["event"]
        record = records_from_events([event])
        assert record.to_bytes().hex() == sample["reencoded_hex"]
        (back,) = events_from_records(record, device_assignment_id=event["deviceAssignmentId"], sequence_group=event["sequenceGroup"])
        assert back == event
        assert json.dumps(back["eventProperties"]) == json.dumps(event["eventProperties"])


def test_all_records_of_known_codes_survive_json_together() -> None:
    records = Records.join([Records.parse(bytes.fromhex(sample["hex"])) for sample in lines("pump_records.jsonl")]).with_header(source=0)
    assert records_from_events(list(events_from_records(records, device_assignment_id="x"))) == records
    assert set(records.code.tolist()) & set(EVENTS)


def test_every_record_keeps_to_the_bounds() -> None:
    whole = [bytes.fromhex(sample["hex"]) for sample in lines("pump_records.jsonl")]
    whole += [bytes.fromhex(sample["reencoded_hex"]) for sample in lines("pump_log_events.jsonl") if sample.get("reencoded_hex")]
    for code, _, records in Records.parse(b"".join(whole)).groups():
        for name, bounds in BOUNDS.get(code, {}).items():
            assert not outside(records.columns(code)[name], bounds).any(), (code, name)
