"""The line that asked is found from where requests come in; a module that is renamed must not make that slow unnoticed."""

from pathlib import Path

from replayer.stacks import caller


def test_every_place_where_requests_come_in_is_a_file() -> None:
    assert [name for name in caller._ENTRIES if not Path(name).exists()] == []
