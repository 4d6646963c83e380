"""Find a stage by name: imports only point down, so code that needs a stage above or beside it asks here."""

from importlib import import_module

from tfx.extras import missing


def stage(name: str) -> object:
    """The object `package.module:attribute`; UsageError with the extra to install where its libraries are missing."""
    module_name, _, attribute = name.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        told = missing(error.name)
        if told is None:
            raise
        raise told from error
    return getattr(module, attribute)
