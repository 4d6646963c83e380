"""httpx and aiohttp in the shape of `stack_shape.py`."""

import io
from collections.abc import Mapping

import aiohttp
import httpx
from stack_shape import AGENT, Found, Looped, Properties, context_of, cookies, error_of


def of_httpx(answer: httpx.Response, jar: httpx.Cookies) -> Properties:
    return {
        "status": answer.status_code,
        "reason": answer.reason_phrase,
        "url": str(answer.url),
        "headers": answer.headers.multi_items(),
        "body": answer.content,
        "text": answer.text,
        "encoding": (answer.encoding, answer.charset_encoding),
        "history": [(one.status_code, str(one.url), one.headers.multi_items(), one.content) for one in answer.history],
        "cookies": cookies(answer.cookies.jar),
        "jar": cookies(jar.jar),
        "ok": (answer.is_success, answer.is_redirect, answer.has_redirect_location, answer.next_request, answer.links),
        "request": (answer.request.method, str(answer.request.url), answer.request.headers.multi_items()),
        "elapsed": type(answer.elapsed),
        "info": (answer.http_version, answer.num_bytes_downloaded),
        "raw after the end": (answer.is_closed, answer.is_stream_consumed),
        "raw headers": answer.headers.raw,
        "extensions": sorted(answer.extensions),
        "error": error_of(answer.raise_for_status) if not answer.is_redirect else None,
    }


class Httpx:
    def __init__(self, proxy: str, ca_file: str) -> None:
        self.client = httpx.Client(proxy=proxy, verify=context_of(ca_file), follow_redirects=True)

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        answer = self.client.request(method, url, content=body, headers={**AGENT, **headers}, timeout=10)
        properties = of_httpx(answer, self.client.cookies)
        if method == "GET":
            with self.client.stream(method, url, headers={**AGENT, **headers}, timeout=10) as streamed:
                properties["iter_content"] = b"".join(streamed.iter_bytes(100))
            with self.client.stream(method, url, headers={**AGENT, **headers}, timeout=10) as streamed:
                properties["raw.read"] = b"".join(streamed.iter_raw())
        return Found(properties=properties, url=str(answer.url), body=answer.content)

    def close(self) -> None:
        self.client.close()


class AsyncHttpx(Looped):
    def __init__(self, proxy: str, ca_file: str) -> None:
        super().__init__()
        self.client = httpx.AsyncClient(proxy=proxy, verify=context_of(ca_file), follow_redirects=True)

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        return self.run(self._ask(method, url, {**AGENT, **headers}, body))

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Found:
        answer = await self.client.request(method, url, content=body, headers=headers, timeout=10)
        properties = of_httpx(answer, self.client.cookies)
        if method == "GET":
            async with self.client.stream(method, url, headers=headers, timeout=10) as streamed:
                properties["iter_content"] = b"".join([piece async for piece in streamed.aiter_bytes(100)])
            async with self.client.stream(method, url, headers=headers, timeout=10) as streamed:
                properties["raw.read"] = b"".join([piece async for piece in streamed.aiter_raw()])
        return Found(properties=properties, url=str(answer.url), body=answer.content)

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()


class Aiohttp(Looped):
    def __init__(self, proxy: str, ca_file: str) -> None:
        super().__init__()
        self.proxy, self.context = proxy, context_of(ca_file)
        self.session: aiohttp.ClientSession | None = None

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Found:
        return self.run(self._ask(method, url, {**AGENT, **headers}, body))

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Found:
        from yarl import URL

        session = self.session = self.session or aiohttp.ClientSession()
        where = URL(url, encoded=True)
        data = io.BytesIO(body) if body is not None else None
        async with session.request(method, where, data=data, headers=headers, proxy=self.proxy, ssl=self.context) as answer:
            whole = await answer.read()
            properties: Properties = {
                "status": answer.status,
                "reason": answer.reason,
                "url": (str(answer.url), str(answer.real_url)),
                "headers": list(answer.headers.items()),
                "body": whole,
                "text": await answer.text(),
                "encoding": (answer.charset, answer.content_type, answer.get_encoding()),
                "history": [(one.status, str(one.url), list(one.headers.items())) for one in answer.history],
                "cookies": sorted((one.key, one.value, one["domain"], one["path"]) for one in answer.cookies.values()),
                "jar": sorted((one.key, one.value, one["domain"], one["path"]) for one in session.cookie_jar),
                "ok": (answer.ok, answer.links),
                "request": (answer.method, str(answer.request_info.url), sorted(answer.request_info.headers.items())),
                "info": (answer.version, answer.content_disposition),
                "raw headers": answer.raw_headers,
                "raw after the end": (answer.content.at_eof(), answer.closed, answer.connection),
                "error": error_of(answer.raise_for_status),
            }
        if method == "GET":
            async with session.get(where, headers=headers, proxy=self.proxy, ssl=self.context) as streamed:
                properties["iter_content"] = b"".join([piece async for piece in streamed.content.iter_chunked(100)])
        return Found(properties=properties, url=str(answer.url), body=whole)

    def close(self) -> None:
        if self.session:
            self.runner.run(self.session.close())
        self.runner.close()
