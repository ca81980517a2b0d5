"""An external server: an adapter page that makes copies, counts them by itself, and can be told to misbehave."""

import asyncio
import hashlib
import json
from collections import Counter
from urllib.parse import parse_qs, urlsplit

from .gateway import SERVER_KEY

ENROLLMENT = "/api/enrollment/v1/enrollment"


class Outside:
    """Every copy has the id of what it is a copy of, and the next free id. `made` is its own count."""

    def __init__(self):
        self.made = []  # (source, id) of each copy
        self.asked = 0  # clone calls that came in
        self.wrong_hash = 0
        self.next_id = 1_000_000
        self.answers = "at once"  # or: slowly, never, resets, resets late
        self.pause = 0.0
        self.enrolled = []  # who was enrolled, by its own count
        self.enrolling = 0.05
        self.server = None

    async def start(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        return self

    def copies(self):
        """How many copies of each source."""
        return Counter(source for source, _ in self.made)

    def duplicates(self):
        return {source: count for source, count in self.copies().items() if count > 1}

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                verb, address, _ = head.split(" ", 2)
                length = next((line[15:] for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
                body = await reader.readexactly(int(length))
                if address.startswith(ENROLLMENT):
                    answer = await self._enroll(verb, body)
                else:
                    answer = await self._answer(address)
                if answer is None:
                    writer.transport.abort()
                    return
                status, body = answer
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _enroll(self, verb, body):
        """Open edX's API: nobody is enrolled yet, and whoever is to be is."""
        await asyncio.sleep(self.enrolling)
        if verb == "GET":
            return 200, ""
        self.enrolled.append(json.loads(body)["user"])
        return 200, '{"is_active": true}'

    async def _answer(self, address):
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if query.get("method") != "clone":
            return 200, ""
        self.asked += 1
        if not self._is_signed(query):
            self.wrong_hash += 1
            return 401, ""
        how = self.answers
        if how == "resets":
            return None
        if how == "never":
            await asyncio.sleep(3600)
        if self.pause:
            await asyncio.sleep(self.pause)
        self.next_id += 1
        self.made.append((query["extToolContentID"], str(self.next_id)))
        return None if how == "resets late" else (200, str(self.next_id))

    @staticmethod
    def _is_signed(query):
        text = f"{query.get('ts')}{query.get('un')}moodle{SERVER_KEY}".lower()
        return hashlib.sha1(text.encode()).hexdigest() == query.get("hs")
