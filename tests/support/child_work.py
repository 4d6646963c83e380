"""Functions that tests run in multiprocessing children, which import them by name."""

import socket

import requests


def ask(url: str) -> int | str:
    """The status, or the name of the error."""
    try:
        return requests.get(url, timeout=5).status_code
    except BaseException as error:  # noqa: BLE001  # its name is what is asked for
        return type(error).__name__


def reach() -> str:
    """The name of the error that reaching out ends in."""
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=0.01)
    except BaseException as error:  # noqa: BLE001  # its name is what is asked for
        return type(error).__name__
    return "reached"
