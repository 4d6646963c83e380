"""Keep known clients from reading or writing cached tokens on disk during a replay. Patches of their modules, for `patches.py`."""

import os
from types import ModuleType

from replayer.stacks.patch import Switch, Undo
from tandem.clients import TOKEN_CACHES


def patch_token_cache(module: ModuleType, _switch: Switch) -> list[Undo]:
    """Say no where the module asks whether to keep tokens; what the environment says in so many words stands."""
    name = TOKEN_CACHES[module.__name__]
    if name in os.environ or not hasattr(module, name):
        return []
    before: object = getattr(module, name)
    setattr(module, name, False)
    return [(module, name, before)]
