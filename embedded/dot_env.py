"""Writes .env: a drawn secret for each variable that docker-compose.yml requires. `make env` calls it; needs no packages."""

import base64
import os
import re
import secrets
import sys
from pathlib import Path


def required(compose: str) -> list[str]:
    """The variables without which the file is refused, in order of appearance."""
    return list(dict.fromkeys(re.findall(r"\$\{([A-Z_]+):\?", compose)))


def drawn(name: str) -> str:
    """A new secret; a Fernet key has a form of its own, all others fit into a URL as they are."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() if name == "FERNET_KEY" else secrets.token_hex(32)


def main(place: Path) -> int:
    """Adds what is missing and keeps what is there: a database that exists knows its old password."""
    file = place / ".env"
    kept = file.read_text(encoding="utf-8") if file.exists() else ""
    missing = [
        name for name in required((place / "docker-compose.yml").read_text(encoding="utf-8")) if f"\n{name}=" not in f"\n{kept}"
    ]
    if missing:
        aside = place / ".env.new"
        aside.unlink(missing_ok=True)
        start = kept if kept.endswith("\n") or not kept else f"{kept}\n"
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(start + "".join(f"{name}={drawn(name)}\n" for name in missing))
        aside.replace(file)
    print(f".env: {', '.join(missing)} drawn" if missing else ".env has all that docker-compose.yml asks for")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1]))
