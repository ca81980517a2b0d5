"""What stands between the gateway and a replicated PostgreSQL: an address that leads to whichever is the primary."""

import asyncio


class Switch:
    """Forwards connections. Switched over, those that there are end, or, where the old machine is gone from the
    network, hang without a word."""

    def __init__(self):
        self.target, self.open = None, set()

    async def start(self, port):
        self.target = port
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def lead_to(self, port, silently):
        """From now on new connections go there; None: they are refused."""
        self.target = port
        for task, writers in list(self.open):
            task.cancel()
            if not silently:
                for writer in writers:
                    writer.transport.abort()
        self.open.clear()

    async def _serve(self, reader, writer):
        if self.target is None:
            writer.transport.abort()
            return
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = asyncio.ensure_future(
            asyncio.gather(pass_on(reader, there), pass_on(there_reader, writer), return_exceptions=True)
        )
        entry = (both, (writer, there))
        self.open.add(entry)
        try:
            await both
            writer.close()
            there.close()
        except asyncio.CancelledError:
            pass
        finally:
            self.open.discard(entry)


async def pass_on(reader, writer):
    while part := await reader.read(1 << 16):
        writer.write(part)
        await writer.drain()
    writer.close()
