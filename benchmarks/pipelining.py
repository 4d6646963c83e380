"""Binary events into DuckDB beside the floor: base64, numpy, one Arrow insert with the same key."""

import base64
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pyarrow as pa
from measure import Contest, Rival
from sqlalchemy import text

from pipeline.decode import received
from pipeline.pumps import Pump
from pipeline.steps import store_window
from pipeline.warehouse import driver, in_memory
from simulator.account import account
from tandem.eras import ERAS
from tandem.records import Records

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def floored(body: bytes) -> None:
    records = Records.parse(base64.b64decode(orjson.loads(body)))
    count = len(records)
    table = pa.table(
        {
            "device_id": np.ones(count, dtype=np.int32),
            "sequence_group": np.zeros(count, dtype=np.int32),
            "sequence_number": records.sequence.astype(np.int64),
            "code": records.code.astype(np.int16),
            "pump_seconds": records.seconds.astype(np.int64),
            "payload": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(records.payload.tobytes())]),
        }
    )
    engine = in_memory()
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE floor (device_id INTEGER, sequence_group INTEGER, sequence_number BIGINT, code SMALLINT, "
                "pump_seconds BIGINT, payload BLOB, PRIMARY KEY (device_id, sequence_group, sequence_number))"
            )
        )
        bare = driver(connection)
        bare.register("arriving", table)
        bare.execute("INSERT INTO floor SELECT * FROM arriving")
        bare.unregister("arriving")
    engine.dispose()


def stored(body: bytes) -> None:
    engine = in_memory()
    store_window(engine, Pump(key="1", serial_number="90000001"), received(ERAS["2025"], body), zone=ZONE)
    engine.dispose()


def contest(days: int = 110) -> Contest:
    person = account(identity=1, therapy=1, now=NOW, days=days, density=1.0)
    records = person.current.records
    body = orjson.dumps(base64.b64encode(records.to_bytes()).decode())
    return Contest(
        title=f"Storing {len(records):,} binary events, every table",
        unit="events",
        target="0.6 x the floor's speed (the floor fills one table, tfx all of them)",
        rounds=3,
        rivals=(
            Rival(name="floor: one table", work=lambda: floored(body), units=len(records)),
            Rival(name="tfx: all tables", work=lambda: stored(body), units=len(records)),
        ),
    )
