"""A bucket of moto's on loopback, with a count of its requests and ways to let them fail."""

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import boto3
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

Answer = Iterable[bytes]


@dataclass
class Bucket:
    """What the server was asked, by method (LIST for a listing) and path; `faults` are tried on each request in turn."""

    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Callable[[str, str], str | None]] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """The requests made within, by method."""
        self.asked.clear()
        counts: Counter[str] = Counter()
        yield counts
        counts.update(method for method, _ in self.asked)

    def objects(self) -> dict[str, bytes]:
        """All there are, by key."""
        return {key: _backend().get_object("news", key).value for key in _backend().get_bucket("news").keys}

    def hold(self, objects: dict[str, bytes]) -> None:
        """Lets these be all there are, without a request."""
        keys = _backend().get_bucket("news").keys
        for key in list(keys):
            keys.pop(key)
        for key, content in objects.items():
            _backend().put_object("news", key, content)


def _backend() -> Any:
    return get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        pass


@contextmanager
def bucket() -> Iterator[Bucket]:
    """A server with a bucket `news`. A fault says "503", "before" or "after": answered so, or cut off before or after work."""
    app = DomainDispatcherApplication(create_backend_app)

    def serve(environ: dict[str, Any], start: Callable[..., Any]) -> Answer:
        listing = "list-type" in environ["QUERY_STRING"]
        method, path = "LIST" if listing else environ["REQUEST_METHOD"], environ["PATH_INFO"]
        known.asked.append((method, path))
        fault = next((said for one in known.faults if (said := one(method, path))), None)
        if fault == "503":
            start("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"]
        if fault == "403":
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>InvalidAccessKeyId</Code><Message>The key does not exist.</Message></Error>"]
        if fault == "after":
            list(app(environ, lambda *_: None))
        if fault:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        return app(environ, start)

    server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=_Quiet)
    known = Bucket(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        there = {"LocationConstraint": "eu-central-1"}
        with patch.dict(os.environ, known.environ):
            boto3.client("s3").create_bucket(Bucket="news", CreateBucketConfiguration=there)
        known.asked.clear()
        yield known
    finally:
        server.shutdown()
        thread.join()
