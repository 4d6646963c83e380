"""Apply `policy.schema.json` to policy files, and report the first place that does not conform. Pure, apart from reading the schema.

Not the jsonschema library: `tfx sanitize --check` must start at once, and that library alone takes a third of its time. A test holds this
reader against the library over files broken at random.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, cast

Schema = Mapping[str, object]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
}


def departure(table: object, definition: str = "") -> str:
    """The first place of a table that its grammar does not allow, and why; empty where all is well. `definition`: one of `$defs`."""
    schema = _schema()
    if definition:
        schema = _at(schema, "$defs", definition)
    return next(_departures(schema, table, ""), "")


@cache
def _schema() -> Schema:
    return cast("Schema", json.loads(files("sanitizer").joinpath("policy.schema.json").read_text(encoding="utf-8")))


def _at(schema: Schema, *keys: str) -> Schema:
    for key in keys:
        schema = cast("Schema", schema.get(key, {}))
    return schema


def _departures(schema: Schema, value: object, place: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _departures(_at(_schema(), "$defs", str(schema["$ref"]).rpartition("/")[2]), value, place)
        return
    where = place.removeprefix(".") or "the file"
    kind = schema.get("type")
    # A flag is an int to Python and none to JSON.
    if kind and (not isinstance(value, _TYPES[str(kind)]) or isinstance(value, bool)):
        yield f"{where} is no {kind}"
        return
    choices = cast("list[object]", schema.get("enum", [value]))
    if not any(value == one and type(value) is type(one) for one in choices):
        yield f"{where} is none of {', '.join(map(str, choices))}"
    if isinstance(value, str) and "pattern" in schema and not re.search(str(schema["pattern"]), value):
        yield f"{where} is not written as {schema.get('description', schema['pattern'])}"
    if isinstance(value, int | float) and not _number(schema, "minimum", value) <= value <= _number(schema, "maximum", value):
        yield f"{where} is a number out of bounds"
    if isinstance(value, list):
        yield from _in_array(schema, value, where, place)
    if isinstance(value, dict):
        yield from _in_object(schema, value, where, place)


def _number(schema: Schema, keyword: str, otherwise: float) -> float:
    return cast("float", schema.get(keyword, otherwise))


def _in_array(schema: Schema, value: list[object], where: str, place: str) -> Iterator[str]:
    if not cast("int", schema.get("minItems", 0)) <= len(value) <= cast("int", schema.get("maxItems", len(value))):
        yield f"{where} has too few or too many items"
    for index, item in enumerate(value):
        yield from _departures(_at(schema, "items"), item, f"{place}[{index}]")


def _in_object(schema: Schema, value: dict[str, object], where: str, place: str) -> Iterator[str]:
    for name in cast("list[str]", schema.get("required", [])):
        if name not in value:
            yield f"{where} lacks {name}"
    known, others = _at(schema, "properties"), schema.get("additionalProperties", {})
    for name, item in value.items():
        inside = f"{place}.{name}"
        yield from _departures(_at(schema, "propertyNames"), name, f"{inside} (its name)")
        if name in known:
            yield from _departures(_at(known, name), item, inside)
        elif others is False:
            yield f"{inside.removeprefix('.')} has no place in a policy"
        else:
            yield from _departures(cast("Schema", others), item, inside)
    choices = cast("list[Schema]", schema.get("anyOf", []))
    if choices and all(next(_departures(choice, value, place), "") for choice in choices):
        yield f"{where} needs one of {', '.join(name for choice in choices for name in cast('list[str]', choice['required']))}"
