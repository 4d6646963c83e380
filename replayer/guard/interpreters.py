"""Report sub-interpreters to the network guard: they have audit hooks of their own, so the guard would not see them."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import cast

from replayer.guard.hook import INTERPRETER
from replayer.stacks.patch import Switch, Undo

__tracebackhide__ = True


def patch_interpreters(module: ModuleType, switch: Switch) -> list[Undo]:
    """What makes an interpreter raises an audit event first."""
    original: Callable[..., object] = module.create

    def create(*args: object, **options: object) -> object:
        sys.audit(INTERPRETER)
        return original(*args, **options)

    return [switch.replace(cast("type", module), "create", create)]  # a module is as good an owner as a class
