"""The line that asked is found from where requests come in; a module that is renamed must not make that slow unnoticed."""

import runpy
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from replayer.stacks import caller

LIBRARY = "def through(call):\n    return call()\n"


def test_every_place_where_requests_come_in_is_a_module() -> None:
    assert [name for name in caller._ENTRIES if find_spec(name) is None] == []


def test_a_frame_is_a_librarys_by_its_file_whatever_its_module_is_called(tmp_path: Path) -> None:
    library, mine = Path(caller._LIBRARIES[0]) / "made_up.py", tmp_path / "mine.py"
    for name in ("__main__", "made_up", None):
        inner: dict[str, object] = {"__name__": name}
        exec(compile(LIBRARY, str(library), "exec"), inner)  # a module that stands among the libraries
        for _ in range(2):  # found out, and known
            through = cast("Callable[[Callable[[], str]], str]", inner["through"])
            assert through(caller.caller) == f"test_caller.py:{sys._getframe().f_lineno}"
        mine.write_text("from replayer.stacks.caller import caller\nplace = caller()\n", "utf-8")
        assert runpy.run_path(str(mine), run_name="__main__")["place"] == "mine.py:2", "a library ran as __main__ before"
        exec("assert caller() == place", {"caller": caller.caller, "place": f"test_caller.py:{sys._getframe().f_lineno}"})
