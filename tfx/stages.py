"""Find a stage by name: imports only point down, so code that needs a stage above or beside it asks here."""

from importlib import import_module

from tfx.errors import UsageError


def stage(name: str) -> object:
    """The object `package.module:attribute`; UsageError with the extra to install where its libraries are missing."""
    module_name, _, attribute = name.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == module_name.split(".")[0]:
            raise
        raise UsageError(
            f"{module_name.split('.')[0]} needs the library {error.name}, which is not installed; "
            f"install it with: pip install 'tandem-tfx[{EXTRAS.get(module_name.split('.')[0], 'pipeline')}]'"
        ) from error
    return getattr(module, attribute)


EXTRAS = {"pipeline": "pipeline,prefect", "simulator": "simulator", "recorder": "simulator"}
