"""Run a Python program with requests and urllib recorded: `python -m recorder.child FD PROGRAM ARGS`, started by `recorder.program`.

Every exchange with Tandem Source is sent through the pipe as soon as it is complete; the program is not affected.
"""

import os
import runpy
import sys
import urllib.request
from collections.abc import Mapping
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from urllib.request import HTTPSHandler

import requests
from requests.adapters import HTTPAdapter

from recorder.program import LENGTH_SIZE
from recorder.serialized import serialize
from recorder.tape import Heard, Tape, stands_on, taped
from tandem.regions import HOSTS
from tfx.exchange import Exchange, Headers, Request, Response


def main(arguments: list[str]) -> None:
    """Tape, then become the program."""
    handle, *program = arguments
    tape = Tape(_into(int(handle)))
    tape_requests(tape)
    tape_urllib(tape)
    if program[0] == "-m":
        sys.argv = program[1:]
        # What `python -m` puts first on the path.
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        sys.path.insert(0, str(Path(program[0]).resolve().parent))
        runpy.run_path(program[0], run_name="__main__")


def _into(handle: int) -> Heard:
    def write(exchange: Exchange) -> None:
        letter = serialize(exchange)
        record = len(letter).to_bytes(LENGTH_SIZE, "big") + letter
        while record:
            record = record[os.write(handle, record) :]

    return write


def tape_requests(tape: Tape) -> None:
    """From now on every HTTPAdapter of this process tapes what goes to Tandem Source."""
    ordinary = HTTPAdapter.send

    def send(  # noqa: PLR0917  # the signature of HTTPAdapter
        self: HTTPAdapter,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if not stands_on(HOSTS, str(request.url)):
            return ordinary(self, request, stream, timeout, verify, cert, proxies)
        return taped(tape, self, request, lambda: ordinary(self, request, True, timeout, verify, cert, proxies))

    HTTPAdapter.send = send  # type: ignore[method-assign]  # replacing it is what this is for


def tape_urllib(tape: Tape) -> None:
    """From now on every urllib opener of this process tapes what goes to Tandem Source: PyJWT's PyJWKClient fetches keys with it."""
    ordinary = HTTPSHandler.https_open

    def https_open(self: HTTPSHandler, req: urllib.request.Request) -> HTTPResponse:
        place = tape.place()
        response = ordinary(self, req)
        if stands_on(HOSTS, req.full_url):
            body = response.read()
            tape.keep(place, Exchange(request=_asked(req), response=_answered(response, body)))
            _rewind(response, body)
        return response

    HTTPSHandler.https_open = https_open  # type: ignore[method-assign]  # replacing it is what this is for


def _asked(req: urllib.request.Request) -> Request:
    body = req.data if isinstance(req.data, bytes) else b""
    return Request(method=req.get_method(), url=req.full_url, headers=Headers(req.header_items()), body=body)


def _answered(response: HTTPResponse, body: bytes) -> Response:
    headers = Headers((name, str(value)) for name, value in response.headers.items())
    return Response(status=response.status, reason=response.reason, headers=headers, body=body)


def _rewind(response: HTTPResponse, body: bytes) -> None:
    """Let the body be read once more, chunks already undone."""
    response.fp = BytesIO(body)  # type: ignore[assignment]  # any readable does
    response.length = len(body)
    response.chunked = False


if __name__ == "__main__":
    main(sys.argv[1:])
