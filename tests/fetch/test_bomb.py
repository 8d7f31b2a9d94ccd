"""A small packed body that unpacks to half a gigabyte costs little memory: measured in a process of its own."""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import brotli
import pytest
from backports import zstd

from schemas.web import FetchCode

MIB = 1024 * 1024
SCRIPT = """
import asyncio, json, resource, sys
from pathlib import Path
from tests.fetch.site import answer, bodies, policy_for, request, serving

def peak_kib():
    status = Path("/proc/self/status")  # where there is none: what is inherited from the parent counts too, and hides growth
    said = dict(line.split(":", 1) for line in status.read_text().splitlines()) if status.exists() else {}
    return int(said["VmHWM"].split()[0]) if said else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    packed = Path(sys.argv[2]).read_bytes()
    plain = answer(body=b"x" * 1000)
    async with serving({"/plain": plain, "/": answer(body=packed, Content_Encoding=sys.argv[1])}) as site:
        start = f"http://127.0.0.1:{site.port}/"
        await bodies([request(start + "plain")], policy_for(site))
        before = peak_kib()
        (body,) = await bodies([request(start)], policy_for(site))
        after = peak_kib()
        print(json.dumps([body.code, body.detail, body.content, (after - before) / 1024, len(packed)]))

asyncio.run(main())
"""


def gzipped(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def deflated(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def brotlied(size: int) -> bytes:
    packer = brotli.Compressor(quality=1)
    return b"".join(packer.process(bytes(MIB)) for _ in range(size // MIB)) + packer.finish()


def zstded(size: int) -> bytes:
    packer = zstd.ZstdCompressor()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzipped), ("deflate", deflated), ("br", brotlied), ("zstd", zstded)])
def test_a_bomb_costs_little_memory(tmp_path: Path, encoding: str, pack: object) -> None:
    bomb = tmp_path / "bomb"
    bomb.write_bytes(pack(500 * MIB))  # type: ignore[operator]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, encoding, str(bomb)], cwd=root, capture_output=True, check=True, text=True
    )
    code, detail, content, grown_mib, packed = json.loads(done.stdout)
    print(f"{encoding}: {packed} bytes packed, grew by {grown_mib:.1f} MiB")
    assert packed < MIB
    assert (code, detail, content) == (FetchCode.TOO_LARGE, f"more than {15 * MIB} bytes unpacked", None)
    assert grown_mib < 15 + 20
