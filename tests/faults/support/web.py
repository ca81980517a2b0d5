"""A plain HTTP client: no redirects followed, connections kept where asked for, everything counted by its caller."""

import asyncio
import json
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes = b""
    cookies: list = field(default_factory=list)

    @property
    def location(self):
        return self.headers.get("location", "")

    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)


class Connections:
    """Kept connections to one address; as many as are asked for at once."""

    def __init__(self, port, patience=30.0, keep=True):
        self.port, self.patience, self.keep = port, patience, keep
        self.idle = []

    async def ask(self, method, path, headers=None, body=None):
        """One request. Raises OSError where there is no answer: a kept connection that was closed is tried again
        once for GET, as browsers do."""
        return await asyncio.wait_for(self._ask(method, path, headers or {}, body), self.patience)

    async def get(self, path, headers=None):
        return await self.ask("GET", path, headers)

    async def _ask(self, method, path, headers, body):
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body or b'')}")
        if not self.keep:
            lines.append("Connection: close")
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")
        while self.keep and self.idle:
            stream = self.idle.pop()
            if stream[0].at_eof():
                stream[1].close()
                continue
            try:
                return await self._over(stream, method, request)
            except (OSError, EOFError):
                if method != "GET":
                    raise
        stream = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        try:
            return await self._over(stream, method, request)
        except EOFError as error:
            raise ConnectionResetError("the connection ended within an answer") from error

    async def _over(self, stream, method, request):
        reader, writer = stream
        kept = False
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers, cookies = {}, []
            for line in head[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "set-cookie":
                    cookies.append(value.strip())
                headers[name.lower()] = value.strip()
            answer = Answer(int(head[0].split(" ", 2)[1]), headers, cookies=cookies)
            if headers.get("transfer-encoding") == "chunked":
                answer.body = await chunks(reader)
            elif "content-length" in headers and method != "HEAD":
                answer.body = await reader.readexactly(int(headers["content-length"]))
            kept = self.keep and headers.get("connection", "").lower() != "close"
            return answer
        finally:
            if kept:
                self.idle.append(stream)
            else:
                writer.close()

    def close(self):
        for _, writer in self.idle:
            writer.close()
        self.idle.clear()


async def chunks(reader):
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return body
