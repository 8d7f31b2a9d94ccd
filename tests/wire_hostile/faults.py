"""A proxy that breaks connections: one kind of fault, in one phase of a request. Serves on loopback.

After toxiproxy: what is between the two ends adds latency, has little bandwidth, cuts data into single bytes, says nothing more,
resets, hangs up after some bytes, or takes its time to hang up.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

KINDS = ("latency", "bandwidth", "slice", "stall", "reset", "limit", "slow-close")
PHASES = ("connect", "request-line", "request-headers", "status-line", "headers", "body-start", "body-middle", "end")
HARMLESS = frozenset({"latency", "bandwidth", "slice"})
_DELAY_S = 0.2
_BYTES_A_TENTH = 800
_FEW = 3  # bytes that a limit still lets through


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str
    phase: str

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.phase}"

    @property
    def is_survived(self) -> bool:
        """Whether the answer comes all the same: the fault only slows it down, or strikes when all of it has come.

        A connection that stalls at its end is kept, after robots.txt, and stalls at the beginning of the next request.
        """
        return self.kind in HARMLESS or (self.phase == "end" and self.kind != "stall")


ALL = tuple(Fault(kind, phase) for kind in KINDS for phase in PHASES)


@dataclass(slots=True)
class _Connection:
    """One connection through the proxy; `struck` once the fault has begun."""

    fault: Fault
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    upstream: int

    async def carry(self) -> None:
        """One request and its answer, of which the phases are told by where they begin in the bytes."""
        await self._at("connect")
        request = await self.reader.read(8)
        await self._at("request-line")
        request += await self.reader.readuntil(b"\r\n\r\n")
        await self._at("request-headers")
        answer = await self._asked(request)
        head, body = answer.find(b"\r\n") + 2, answer.find(b"\r\n\r\n") + 4
        begins = {
            "status-line": 5,
            "headers": head + 5,
            "body-start": body,
            "body-middle": (body + len(answer)) // 2,
            "end": len(answer),
        }
        slowed, sent = self.fault.phase in PHASES[:3], 0
        for phase, at in begins.items():
            await self._write(answer[sent:at], slowed)
            slowed, sent = slowed or phase == self.fault.phase, at
            if phase == self.fault.phase:
                await self._strike(answer[at:])

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            return head + await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
        finally:
            writer.close()

    async def _at(self, phase: str) -> None:
        if phase == self.fault.phase:
            await self._strike(b"HTTP/1.1 200 OK\r\n\r\n")

    async def _strike(self, left: bytes) -> None:
        """The fault itself; where it is the end of the connection, by an exception."""
        match self.fault.kind:
            case "latency":
                await asyncio.sleep(_DELAY_S)
            case "stall":
                await self.reader.read()
                raise ConnectionAbortedError
            case "reset":
                self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.writer.transport.abort()
                raise ConnectionAbortedError
            case "limit":
                self.writer.write(left[:_FEW])
                raise ConnectionAbortedError
            case "slow-close":
                await asyncio.sleep(_DELAY_S)
                raise ConnectionAbortedError

    async def _write(self, data: bytes, slowed: bool) -> None:
        size, pause_s = {"bandwidth": (_BYTES_A_TENTH, 0.1), "slice": (1, 0.0)}.get(
            self.fault.kind if slowed else "", (len(data) or 1, 0.0)
        )
        for at in range(0, len(data), size):
            self.writer.write(data[at : at + size])
            await self.writer.drain()
            await asyncio.sleep(pause_s)


@asynccontextmanager
async def faulty(fault: Fault, upstream: int) -> AsyncIterator[int]:
    """The port of a proxy in front of a server on 127.0.0.1 that does this to every connection."""

    under_way: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _Connection(fault, reader, writer, upstream).carry()
        under_way.discard(asyncio.current_task())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in filter(None, set(under_way)):
            task.cancel()
        await asyncio.sleep(0)
