"""Python's HTTP libraries behind one interface: send a request, list every property of the response. Live and replayed alike."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.cookiejar import CookieJar
from urllib.parse import urlsplit

import requests
import urllib3
from httpx_stacks import Aiohttp, AsyncHttpx, Httpx
from stack_shape import AGENT, Found, Properties, Stack, context_of, cookies, decoded, error_of


class Requests:
    def __init__(self, proxy: str, ca_file: str) -> None:
        del proxy, ca_file  # from the environment
        self.session = requests.Session()

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        hooked: list[int] = []
        hooks = {"response": lambda one, **_: hooked.append(one.status_code)}
        plain = self.session.request(method, url, headers={**AGENT, **headers}, data=body, hooks=hooks, timeout=10)
        properties: Properties = {
            "status": plain.status_code,
            "reason": plain.reason,
            "url": plain.url,
            "headers": list(plain.headers.items()),
            "body": plain.content,
            "text": plain.text,
            "encoding": (plain.encoding, plain.apparent_encoding),
            "history": [(one.status_code, one.url, list(one.headers.items()), one.content) for one in plain.history],
            "cookies": cookies(plain.cookies),
            "jar": cookies(self.session.cookies),
            "ok": (plain.ok, plain.is_redirect, plain.is_permanent_redirect, plain.next, plain.links),
            "hooks": hooked,
            "request": (plain.request.method, plain.request.url, sorted(plain.request.headers.items()), plain.request.body),
            "elapsed": type(plain.elapsed),
            "connection": type(plain.connection),
            "raw": (plain.raw.status, plain.raw.reason, plain.raw.version, plain.raw.version_string, list(plain.raw.headers.items())),
            "raw after the end": (plain.raw.read(), plain.raw.closed, plain.raw.tell()),
            "raw.geturl": plain.raw.geturl(),
            "raw.retries": type(plain.raw.retries),
            "raw.length_remaining": plain.raw.length_remaining,
            "raw.chunked": plain.raw.chunked,
            "raw.connection": plain.raw.connection,
            "error": error_of(plain.raise_for_status),
        }
        if method == "GET":
            properties |= self._streamed(url, headers)
        return Found(properties=properties, url=str(plain.url), body=plain.content)

    def _streamed(self, url: str, headers: Mapping[str, str]) -> Properties:
        def get() -> requests.Response:
            return self.session.get(url, headers={**AGENT, **headers}, stream=True, timeout=10)

        with get() as one, get() as two, get() as three:
            return {
                "iter_content": (b"".join(one.iter_content(100)), one.raw.closed),
                "iter_lines": list(two.iter_lines()),
                "raw.read": (three.raw.read(7), three.raw.read()),
            }

    def close(self) -> None:
        self.session.close()


class Urllib:
    def __init__(self, proxy: str, ca_file: str) -> None:
        del proxy
        self.jar = CookieJar()
        context = context_of(ca_file)
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self.jar)
        )

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        request = urllib.request.Request(url, data=body, headers={**AGENT, "Accept-Encoding": "identity", **headers}, method=method)
        try:
            answer = self.opener.open(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            whole = answer.read()
            properties: Properties = {
                "status": (answer.status, answer.code),
                "reason": (answer.reason, answer.msg),
                "url": (answer.url, answer.geturl()),
                "headers": answer.headers.items(),
                "body": whole,
                "info": answer.info().items(),
                "type": type(answer),
                "jar": cookies(self.jar),
                "error": str(answer) if isinstance(answer, urllib.error.HTTPError) else None,
                "raw after the end": answer.read(),
                "request": (request.get_method(), request.full_url, sorted(request.header_items())),
            }
            return Found(properties=properties, url=answer.geturl(), body=whole)

    def close(self) -> None:
        self.opener.close()


class HttpClient:
    def __init__(self, proxy: str, ca_file: str) -> None:
        self.proxy, self.ca_file = urlsplit(proxy), ca_file
        self.open: dict[str, http.client.HTTPSConnection] = {}

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host not in self.open:
            context = context_of(self.ca_file)
            self.open[host] = http.client.HTTPSConnection(self.proxy.hostname or "", self.proxy.port, context=context, timeout=10)
            self.open[host].set_tunnel(host, 443)
        connection = self.open[host]
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, {**AGENT, **headers})
        answer = connection.getresponse()
        part, rest = answer.read(3), answer.read()
        properties: Properties = {
            "status": answer.status,
            "reason": answer.reason,
            "headers": answer.getheaders(),
            "body": part + rest,
            "info": (answer.msg.items(), answer.getheader("Content-Type"), answer.version),
            "raw after the end": (answer.read(), answer.isclosed(), answer.closed),
            "keep-alive": (answer.will_close, connection.sock is None),
            "raw.length_remaining": answer.length,
            "raw.chunked": answer.chunked,
        }
        return Found(properties=properties, url=url, body=decoded(answer.getheader("Content-Encoding"), part + rest))

    def close(self) -> None:
        for connection in self.open.values():
            connection.close()


class Urllib3:
    def __init__(self, proxy: str, ca_file: str) -> None:
        self.pool = urllib3.ProxyManager(proxy, ca_certs=ca_file)

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        answer = self.pool.request(method, url, body=body, headers={**AGENT, **headers}, timeout=10, retries=urllib3.Retry(5))
        properties: Properties = {
            "status": answer.status,
            "reason": answer.reason,
            "url": answer.geturl(),
            "headers": list(answer.headers.items()),
            "body": answer.data,
            "history": [(one.status, one.url, one.redirect_location) for one in answer.retries.history] if answer.retries else None,
            "info": (answer.version, answer.version_string),
            "raw after the end": (answer.read(), answer.closed, answer.tell()),
            "raw.retries": answer.retries and answer.retries.total,
            "raw.length_remaining": answer.length_remaining,
            "raw.chunked": answer.chunked,
            "raw.connection": answer.connection,
            "pool": (len(self.pool.pools.keys()),),
        }
        if method == "GET":
            streamed = self.pool.request(method, url, headers={**AGENT, **headers}, preload_content=False, redirect=False, timeout=10)
            properties["raw.read"] = (streamed.read(7, decode_content=False), streamed.read(decode_content=False))
            streamed.release_conn()
        return Found(properties=properties, url=answer.geturl() or url, body=answer.data)

    def close(self) -> None:
        self.pool.clear()


STACKS: Mapping[str, Callable[[str, str], Stack]] = {
    "requests": Requests,
    "urllib.request": Urllib,
    "http.client": HttpClient,
    "urllib3": Urllib3,
    "httpx": Httpx,
    "httpx async": AsyncHttpx,
    "aiohttp": Aiohttp,
}


def opened(stack: str, proxy: str, ca_file: str, until: ExitStack) -> Stack:
    """A client of that stack, closed with `until`."""
    client = STACKS[stack](proxy, ca_file)
    until.callback(client.close)
    return client
