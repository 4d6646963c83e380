"""Read untrusted YAML: first as a stream of events that builds nothing, then with the safe loader. Pure."""

from importlib import import_module
from types import ModuleType
from typing import Final, Protocol

from tfx.errors import FormatError
from tfx.extras import need

DEEPEST: Final = 64
"""How deep a file may nest."""

MOST_NODES: Final = 5_000_000
"""Nodes a file may have with every alias written out; more is taken for a bomb."""

TAGS: Final = frozenset(
    {
        *(f"tag:yaml.org,2002:{word}" for word in ("str", "binary", "int", "float", "bool", "null", "seq", "map")),
        *(f"tag:yaml.org,2002:python/{word}" for word in ("str", "unicode", "tuple")),  # plain texts and lists in cassettes of old
    }
)
"""Tags a file may spell out. Every other, `!!python/object` first of all, is refused before anything is built."""


def library(name: str) -> ModuleType:
    """A module that the `convert` extra brings.

    Raises:
        UsageError: it is not installed.
    """
    need("a cassette of vcrpy", "convert")
    return import_module(name)


def safe_yaml(data: bytes, where: str) -> object:
    """The value of a YAML file: texts, bytes, numbers, lists and objects, nothing else.

    Raises:
        FormatError: it is not YAML, names a type to build, nests too deep, or unpacks to a multiple of itself.
        UsageError: the extra is not installed.
    """
    yaml = library("yaml")
    loader = _loader(yaml)
    try:
        _looked_through(yaml, loader, data, where)
        value: object = yaml.load(data, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):  # their texts quote the file
        raise FormatError(f"{where} cannot be read as YAML; it was cut or changed by hand, so record it again") from None
    return value


def _loader(yaml: ModuleType) -> type:
    base: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = type("Loader", (base,), {})
    for word in ("str", "unicode"):
        loader.add_constructor(f"tag:yaml.org,2002:python/{word}", base.construct_yaml_str)  # type: ignore[attr-defined]  # pyyaml has no types
    loader.add_constructor("tag:yaml.org,2002:map", _each_key_once)  # type: ignore[attr-defined]  # pyyaml has no types
    loader.add_constructor("tag:yaml.org,2002:python/tuple", base.construct_yaml_seq)  # type: ignore[attr-defined]  # pyyaml has no types
    return loader


class _Constructs(Protocol):
    def construct_object(self, node: object, *, deep: bool) -> object:
        """The value of a node."""

    def construct_mapping(self, node: object, *, deep: bool) -> dict[object, object]:
        """The value of a mapping."""


class _Pairs(Protocol):
    value: list[tuple[object, object]]


def _each_key_once(loader: _Constructs, node: _Pairs) -> dict[object, object]:
    """Of two members of one name readers differ which counts, and the other would pass unread."""
    pairs = len(node.value)
    found = loader.construct_mapping(node, deep=True)
    if len(found) != pairs:
        raise ValueError  # reported like any other invalid YAML
    return found


def _looked_through(yaml: ModuleType, loader: type, data: bytes, where: str) -> None:
    """Refuse what would run code, nest too deep or grow: each alias counts as many nodes as what it stands for."""
    open_nodes: list[tuple[str, int]] = [("", 0)]
    sizes: dict[str, int] = {}
    for event in yaml.parse(data, Loader=loader):
        kind = type(event).__name__
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None) or ""
        if tag and tag != "!" and tag not in TAGS:
            raise FormatError(f"{where} names a type to be built, which no recording needs and a trap would; it was refused unread")
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            open_nodes.append((anchor, 1))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            name, size = open_nodes.pop()
            _add(open_nodes, sizes, name, size)
        elif kind == "ScalarEvent":
            _add(open_nodes, sizes, anchor, 1)
        elif kind == "AliasEvent":
            if anchor not in sizes:
                raise FormatError(f"{where} names what is not there or itself; it was refused")
            _add(open_nodes, sizes, "", sizes[anchor])
        if len(open_nodes) > DEEPEST or open_nodes[-1][1] > MOST_NODES:
            raise FormatError(f"{where} nests too deep or unpacks to a multiple of itself, as no recording does; it was refused")


def _add(open_nodes: list[tuple[str, int]], sizes: dict[str, int], anchor: str, size: int) -> None:
    if anchor:
        sizes[anchor] = size
    name, total = open_nodes[-1]
    open_nodes[-1] = (name, total + size)
