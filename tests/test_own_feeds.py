"""docs/how-to/own-feeds.md does what it says: its commands are run as they stand, in an empty directory, without network."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.fetch import opened

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs/how-to/own-feeds.md").read_text()


def test_the_commands_of_the_document_do_what_it_says(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    blocks = re.findall(r"```bash\n(.*?)```", DOCUMENT, re.DOTALL)
    shown = re.search(r"```\n(http://127.*?)```", DOCUMENT, re.DOTALL)
    assert shown and len(blocks) == 4
    server, *commands = [block.replace("8000", str(port)) for block in blocks]
    wait = f"until (: < /dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done\n"
    script = 'set -e\nnewsmill() { "$PYTHON" -m pipeline "$@"; }\ntrap "kill %1 2>/dev/null || true" EXIT\n'
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSMILL_")}
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script + server.replace("python3 ", '"$PYTHON" ') + wait + "\n".join(commands)],
        cwd=tmp_path,
        env={**kept, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "NEWSMILL_SPACING_S": "0", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    said = done.stdout
    assert done.returncode == 0, done.stderr
    assert shown[1].replace("8000", str(port)) in said
    assert re.search(r"│ Werkszeitung │ Siemens hebt Prognose an │ Siemens +│ +0\.[1-9]\d* │", said), said
    assert re.search(rf"127-0-0-1-{port}-feed-xml +parsed +1 ", said)
    assert f"removed: 127-0-0-1-{port}-feed-xml" in said
    assert f'xmlUrl="http://127.0.0.1:{port}/feed.xml"' in (tmp_path / "subscriptions.opml").read_text()
    assert "[[feed]]" not in (tmp_path / "feeds.toml").read_text()


NETWORKS = [
    ("127.0.0.0/8", "127.9.9.9"),
    ("::1", "[::1]"),
    ("10/8", "10.0.0.1"),
    ("172.16/12", "172.31.0.1"),
    ("192.168/16", "192.168.0.1"),
    ("100.64/10", "100.127.0.1"),
    ("fc00::/7", "[fd00::1]"),
]


@pytest.mark.parametrize(("network", "address"), NETWORKS)
def test_the_networks_it_names_can_be_opened(network: str, address: str) -> None:
    assert network in DOCUMENT
    assert opened(f"{address}:8000") == {f"{address}:8000"}


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "93.184.215.14", "[::ffff:169.254.169.254]"]
)
def test_no_other_address_can_be_opened(address: str) -> None:
    assert opened(f"{address}:80") == frozenset()
