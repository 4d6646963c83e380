"""Run urllib3's Retry as its connection pool would: replay takes the pool's place, and requests leaves retries to the pool.

So a client with `HTTPAdapter(max_retries=Retry(...))` tries again after a 429 or a reset as live, and waits for `Retry-After`.
"""

import sys
from collections.abc import Callable

from requests import PreparedRequest, Response
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout, RetryError
from urllib3 import HTTPResponse, Retry
from urllib3.exceptions import MaxRetryError, ProtocolError, ReadTimeoutError, ResponseError

__tracebackhide__ = True  # pytest --showlocals would print the live request

Once = Callable[[], Response]


def tried(retries: Retry, request: PreparedRequest, once: Once) -> Response:
    """The answer of the last try.

    Raises:
        requests.RequestException: as `requests.adapters.HTTPAdapter.send` words what urllib3 raises.
    """
    try:
        return _tried(retries, request.method or "GET", request.url or "", once)
    except (ProtocolError, OSError) as error:
        raise NoConnection(error, request=request) from None
    except MaxRetryError as error:
        kind = RetryError if isinstance(error.reason, ResponseError) else NoConnection
        raise kind(error, request=request) from None
    except ReadTimeoutError as error:
        raise ReadTimeout(error, request=request) from None


def _tried(retries: Retry, method: str, url: str, once: Once) -> Response:
    while True:
        try:
            answered = once()
        except (ProtocolError, ReadTimeoutError) as error:
            retries = retries.increment(method, url, error=error, _stacktrace=sys.exc_info()[2])
            retries.sleep()
            continue
        raw: HTTPResponse = answered.raw
        # Not `get`, which costs an exception where the header is missing, as it nearly always is.
        waits = "Retry-After" in raw.headers and bool(raw.headers["Retry-After"])
        if not retries.is_retry(method, raw.status, waits):
            return answered
        try:
            retries = retries.increment(method, url, response=raw)
        except MaxRetryError:
            if retries.raise_on_status:
                raw.drain_conn()
                raise
            return answered
        raw.drain_conn()
        retries.sleep(raw)
