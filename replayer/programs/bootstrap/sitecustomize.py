"""Imported by Python before a program's first line, because `tfx replay` puts this folder on PYTHONPATH; children inherit it."""  # noqa: INP001  # a folder for sys.path, not a package

import os
import sys

if "TFX_REPLAY_CASSETTE" in os.environ:
    try:
        from replayer.programs.child import activate

        activate()
    except BaseException as error:  # noqa: BLE001  # site would carry on without the guard
        os.write(2, f"tfx: the guard could not be put in place ({type(error).__name__}); the program was not started.\n".encode())
        os._exit(2)

# Whoever had a sitecustomize of their own still gets it.
_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # pathlib costs time in every child process
_path = [folder for folder in sys.path if os.path.abspath(folder or os.curdir) != _here]  # noqa: PTH100  # runs in every child process: nothing is loaded that need not be
_spec = __import__("importlib.machinery", fromlist=["PathFinder"]).PathFinder.find_spec("sitecustomize", _path)
if _spec is not None and _spec.loader is not None:
    _module = __import__("importlib.util", fromlist=["module_from_spec"]).module_from_spec(_spec)
    _spec.loader.exec_module(_module)
