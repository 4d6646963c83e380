"""The SQL of derived tables, with one row per event or one row per group of messages. Pure: this module only writes statements.

A row is identified and timed by its first event. A chain is the messages of one key in the order of writing: it begins with a message that
`opens`, or with the message after one that `closes`. New events between two sequence numbers can change the row before them and the rows
up to the next certain beginning; those rows are deleted and computed again. So a chain that begins in one window and ends in a later one
gives the same rows as in one run, whatever the order of the windows.
"""
# ruff: noqa: S608  # every name in these statements is our own

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.extracts.wire import impossible, named_in

OPENS, GOES_ON, CLOSES = "opens", "goes on", "closes"

READ: Final = "read_messages"
_KEY: Final = "device_id, sequence_group, sequence_number"
_TIMES: Final = "pump_time, instant, clock"
_NO_END: Final = 1 << 62
_ROLES: Final = f"role = '{OPENS}' OR lag(role) OVER same = '{CLOSES}'"

Columns = Mapping[str, str]
"""Column -> SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A table and how its rows come about.

    `messages`: code -> what such an event says, SQL over its fields (`wire.field`), `pump_time` and the rest of the event. In a chain
    every message has a `role` and the columns of `key`. An event with a value beyond its bounds (tandem/bounds.py) makes no message.
    `starts`: where a chain begins; None where all messages of a key are one. `row`: what a chain tells, aggregates over its messages;
    none where each message is a row. A column in `row` may name `next_instant` and `next_pump_time`, those of the following row.
    `source`: where messages are read that another table holds already.
    """

    table: str
    messages: Mapping[int, Columns]
    key: tuple[str, ...] = ()
    row: Columns = field(default_factory=dict)
    starts: str | None = _ROLES
    source: str | None = None

    @property
    def impossible(self) -> Mapping[int, Columns]:
        """Code -> what is wrong -> where; nothing where another table has seen to it."""
        return {} if self.source else {code: found for code in self.messages if (found := impossible(code))}

    @property
    def codes(self) -> tuple[int, ...]:
        """The codes it takes."""
        return tuple(self.messages)


# Parameters of every statement: $1 device, $2 sequence group, $3 and $4 the first and last sequence number that changed.


def statements(derived: Derived) -> tuple[str, ...]:
    """What brings the table up to date: statements; their first word says whether they delete or insert."""
    return _chain_statements(derived) if derived.row else _event_statements(derived)


def troubles(derived: Derived) -> str | None:
    """A query for what is impossible: sequence number, code, detail. None where nothing is ever impossible."""
    if not derived.impossible:
        return None
    details = ", ".join(
        f"CASE WHEN code = {code} AND {condition} THEN '{detail}' END"
        for code, conditions in derived.impossible.items()
        for detail, condition in conditions.items()
    )
    # What is wrong is seldom: one condition leaves out the others before they are asked one by one.
    return f"""
        WITH {_told("$3", "$4")}, odd AS (SELECT sequence_number, code, unnest([{details}]) AS detail FROM told WHERE {_wrong(derived)})
        FROM odd WHERE detail IS NOT NULL ORDER BY ALL
    """


def _event_statements(derived: Derived) -> tuple[str, ...]:
    columns = ", ".join(dict.fromkeys(column for says in derived.messages.values() for column in says))
    return (
        f"DELETE FROM {derived.table} WHERE {_ours('')} AND sequence_number BETWEEN $3 AND $4",
        f"""
        INSERT INTO {derived.table} ({_KEY}, {_TIMES}, {columns})
        WITH {_messages(derived, "$3", "$4")} SELECT {_KEY}, {_TIMES}, {columns} FROM messages
        """,
    )


def _chain_statements(derived: Derived) -> tuple[str, ...]:
    """`reach` holds, by the key, where rows are to be made anew: from `lower` up to but not including `upper`."""
    table, key = derived.table, "".join(f"{column}, " for column in derived.key)
    keys = "".join(f", {column}" for column in derived.key)
    ours = "".join(f"r.{column}, " for column in derived.key)
    same = "".join(f" AND t.{column} = r.{column}" for column in derived.key)
    sure = "t.opened" if "opened" in derived.row else "false"
    aggregates = ", ".join(f"{sql} AS {column}" for column, sql in derived.row.items() if "next_" not in sql)
    columns = "".join(f", {column}" for column in derived.row)
    told = "".join(f", {sql if 'next_' in sql else column}" for column, sql in derived.row.items())
    return (
        "DROP TABLE IF EXISTS reach",
        f"""
        CREATE TEMP TABLE reach AS
        WITH {_messages(derived, "$3", "$4")},
        r AS (SELECT {key}min(sequence_number) AS lowest, max(sequence_number) AS highest FROM messages GROUP BY ALL HAVING count(*) > 0)
        SELECT {ours}
            coalesce(max(t.sequence_number) FILTER (t.sequence_number < r.lowest), r.lowest) AS lower,
            coalesce(min(t.sequence_number) FILTER (t.sequence_number > r.highest AND {sure}), {_NO_END}) AS upper
        FROM r LEFT JOIN {table} t ON {_ours("t.")}{same}
        GROUP BY {ours}r.lowest, r.highest
        """,
        f"""
        DELETE FROM {table} t USING reach r
        WHERE {_ours("t.")}{same} AND t.sequence_number >= r.lower AND t.sequence_number < r.upper
        """,
        f"""
        INSERT INTO {table} ({_KEY}, {_TIMES}{keys}{columns})
        WITH {_messages(derived, "(SELECT min(lower) FROM reach)", "(SELECT max(upper) FROM reach)")},
        {_chained(derived)},
        joined AS (
            SELECT device_id, sequence_group{keys}, chain, any_value(upper) AS upper,
                arg_min(pump_time, sequence_number) AS pump_time, arg_min(instant, sequence_number) AS instant,
                arg_min(clock, sequence_number) AS clock, {aggregates},
                min(sequence_number) AS sequence_number
            FROM chained GROUP BY device_id, sequence_group{keys}, chain
        ),
        followed AS (
            SELECT *, lead(pump_time) OVER row_after AS next_pump_time, lead(instant) OVER row_after AS next_instant FROM joined
            WINDOW row_after AS (PARTITION BY device_id{keys} ORDER BY sequence_number)
        )
        SELECT {_KEY}, {_TIMES}{keys}{told} FROM followed WHERE sequence_number < upper
        """,
    )


def _chained(derived: Derived) -> str:
    """The relation `chained`: the messages that rows are made of, each with its chain's number within the key."""
    same = "".join(f" AND t.{column} = r.{column}" for column in derived.key)
    within = f"messages t JOIN reach r ON true{same} AND t.sequence_number BETWEEN r.lower AND r.upper"
    if derived.starts is None:
        return f"chained AS (SELECT t.*, r.upper, 1 AS chain FROM {within})"
    keys = "".join(f", t.{column}" for column in derived.key)
    return f"""
        flagged AS (
            SELECT t.*, r.upper, {derived.starts} AS starts FROM {within}
            WINDOW same AS (PARTITION BY t.device_id{keys} ORDER BY t.sequence_number)
        ),
        chained AS (
            SELECT *, count(*) FILTER (starts) OVER (PARTITION BY t.device_id{keys} ORDER BY t.sequence_number) AS chain FROM flagged t
        )"""


def _ours(name: str) -> str:
    return f"{name}device_id = $1 AND {name}sequence_group = $2"


def _messages(derived: Derived, first: str, last: str) -> str:
    """The relation `messages` of these sequence numbers, both included."""
    if derived.source is not None:
        return f"messages AS (SELECT * FROM {derived.source} WHERE {_ours('')} AND sequence_number BETWEEN {first} AND {last})"
    columns = dict.fromkeys(column for says in derived.messages.values() for column in says)
    values = ", ".join(
        f"{_by_code({code: says.get(column, 'NULL') for code, says in derived.messages.items()})} AS {column}" for column in columns
    )
    return f"""
        {_told(first, last)},
        messages AS (SELECT {_KEY}, {_TIMES}, {values} FROM told WHERE NOT ({_wrong(derived)}))"""


def _wrong(derived: Derived) -> str:
    """Whether anything of an event is impossible."""
    return " OR ".join(f"(code = {code} AND ({' OR '.join(of_code.values())}))" for code, of_code in derived.impossible.items()) or "false"


def _by_code(of_code: Mapping[int, str]) -> str:
    """One expression for all codes: a plan with a branch a code takes DuckDB several times as long to make."""
    found = list(dict.fromkeys(of_code.values()))
    if len(found) == 1:
        return found[0]
    cases = " ".join(f"WHEN code IN ({', '.join(str(code) for code, sql in of_code.items() if sql == one)}) THEN {one}" for one in found)
    return f"CASE {cases} END"


def _told(first: str, last: str) -> str:
    """The relation `told`: events of the table's codes that have a time, with the fields it names; `derive` laid them ready."""
    return f"told AS (FROM {READ} WHERE sequence_number BETWEEN {first} AND {last})"


def fields(derived: Derived) -> tuple[str, ...]:
    """The columns of fields that the table's statements name."""
    return named_in(sql for of_code in (*derived.messages.values(), *derived.impossible.values()) for sql in of_code.values())


def gathered(codes: Iterable[int]) -> str:
    """The stored events of these codes that have a time, between sequence numbers $3 and $4: one pass for all tables."""
    where = f"{_ours('')} AND code IN ({', '.join(map(str, codes))}) AND sequence_number BETWEEN $3 AND $4"
    return f"""
        SELECT {_KEY}, code, {_TIMES}, payload
        FROM (SELECT {_KEY}, code, {_TIMES} FROM events WHERE {where} AND pump_time IS NOT NULL)
        JOIN (SELECT {_KEY}, payload FROM raw_events WHERE {where}) USING ({_KEY})
    """
