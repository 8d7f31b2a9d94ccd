"""The ways to one's own feeds in README and docs/how-to/own-feeds.md: their commands are run as they stand, without network."""

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
    blocks = re.findall(r"```bash\n(.*?)```", DOCUMENT, re.DOTALL)
    shown = re.search(r"```\n(http://127.*?)```", DOCUMENT, re.DOTALL)
    assert shown and len(blocks) == 4
    said, port = typed(tmp_path, blocks)
    assert shown[1].replace("8000", port) in said
    assert re.search(r"│ Werkszeitung │ Siemens hebt Prognose an │ Siemens +│ +0\.[1-9]\d* │", said), said
    assert re.search(rf"127-0-0-1-{port}-feed-xml +parsed +1 ", said)
    assert f"removed: 127-0-0-1-{port}-feed-xml" in said
    assert f'xmlUrl="http://127.0.0.1:{port}/feed.xml"' in (tmp_path / "subscriptions.opml").read_text()
    assert "[[feed]]" not in (tmp_path / "feeds.toml").read_text()


def test_the_commands_of_the_readme_lead_to_two_companies(tmp_path: Path) -> None:
    (block,) = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shutil.copytree(ROOT / "examples/site", tmp_path / "examples/site")
    server, rest = block.split("\n", 1)
    said, _ = typed(tmp_path, [server + "\n", rest])
    assert re.search(r"│ Hafenblatt │ Siemens +│ +0\.\d+ │", said) and re.search(r"│ Hafenblatt │ Bayer +│ +-0\.\d+ │", said), (
        said
    )


def typed(place: Path, blocks: list[str]) -> tuple[str, str]:
    """What these commands print, of which the first block serves a site on port 8000; and the free port it is served on here."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    for file in place.rglob("*.*ml"):
        file.write_text(file.read_text().replace("8000", port))
    server, *commands = [block.replace("8000", port) for block in blocks]
    wait = f"until (: < /dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done\n"
    script = 'set -e\nnewsmill() { "$PYTHON" -m pipeline "$@"; }\ntrap "kill %1 2>/dev/null || true" EXIT\n'
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSMILL_")}
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script + server.replace("python3 ", '"$PYTHON" ') + wait + "\n".join(commands)],
        cwd=place,
        env={**kept, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "NEWSMILL_SPACING_S": "0", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, port


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
    "address",
    [
        *("169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "93.184.215.14", "[::ffff:169.254.169.254]"),
        *("100.100.100.200", "[fd00:ec2::254]", "[fd20:ce::254]"),  # metadata services in networks that can be opened
    ],
)
def test_no_other_address_can_be_opened(address: str) -> None:
    assert opened(f"{address}:80") == frozenset()
