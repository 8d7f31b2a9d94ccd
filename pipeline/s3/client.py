"""Requests to S3, each one step, with errors that name the place and the remedy. I/O.

A conditional write whose answer was lost is sent again, and then refused for what it did itself; every object carries the name of
the attempt that wrote it, so one's own work is recognised.
"""

import errno
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.errors import ConfigError, LakeError

if TYPE_CHECKING:
    from pipeline.s3.path import S3Path

#: S3 asks for fewer requests (503 SlowDown) and drops connections now and then; boto3 waits longer each time.
ATTEMPTS = 6
#: The key of an object's metadata that names the attempt which wrote it.
_ATTEMPT = "attempt"
_NOT_FOUND = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed"})
_MET = frozenset({"409", "ConditionalRequestConflict"})
_BUSY = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "ThrottlingException"})
_REFUSED = frozenset(
    {"403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
)


class Changed(Exception):
    """An object is not as the condition of a write says."""


class _Met(Exception):
    """Two conditional writes met; neither may have come through."""


class Unanswered(LakeError):
    """A request that may have been carried out, or not."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as it was found: its tag changes with its bytes."""

    tag: str
    size: int
    modified: datetime
    attempt: str | None = None


#: Write only where nothing is there.
ABSENT = "*"


def client(*, once: bool = False) -> Any:
    """boto3's client for S3; `once` makes one attempt of a request, for what must not be done late."""
    return _client(os.getpid(), once)


@lru_cache(maxsize=4)
def _client(_pid: int, once: bool) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ConfigError(f"a lake in S3 needs boto3 ({error}): pip install 'newsmill[s3]'") from error
    retries = {"mode": "standard", "total_max_attempts": 1 if once else ATTEMPTS}
    config = Config(retries=retries, connect_timeout=10, read_timeout=10 if once else 60, max_pool_connections=32)
    return boto3.session.Session().client("s3", config=config)


def forget() -> None:
    """Lets what the environment says be asked anew."""
    _client.cache_clear()


def get(path: "S3Path", start: int = 0, end: int | None = None, tag: str | None = None) -> tuple[bytes, Seen, int]:
    """An object's bytes from `start` up to `end`, and how large it is as a whole.

    Raises:
        FileNotFoundError: there is no such object.
        Changed: it is not the one of this tag.
    """
    asked: dict[str, Any] = {"Range": f"bytes={start}-{end - 1}"} if end is not None else {}
    with _told(path):
        try:
            answer = client().get_object(Bucket=path.bucket, Key=path.key, **asked, **({"IfMatch": tag} if tag else {}))
        except Exception as error:
            if _code(error) not in {"416", "InvalidRange"}:  # nothing can be cut out of an empty object
                raise
            answer = client().get_object(Bucket=path.bucket, Key=path.key)
        content = answer["Body"].read()
    whole = int(answer.get("ContentRange", f"/{len(content)}").rpartition("/")[2])
    return content, _seen(answer, whole), whole


def head(path: "S3Path") -> Seen | None:
    """How an object is found; None where there is none."""
    try:
        with _told(path):
            answer = client().head_object(Bucket=path.bucket, Key=path.key)
    except FileNotFoundError:
        return None
    return _seen(answer, answer["ContentLength"])


def _seen(answer: Mapping[str, Any], size: int) -> Seen:
    return Seen(answer["ETag"], size, answer["LastModified"], answer.get("Metadata", {}).get(_ATTEMPT))


def put(path: "S3Path", content: bytes | BinaryIO, expected: str | None = None, attempt: str = "", *, once: bool = False) -> str:
    """Writes an object in one request, and returns its tag; with `expected`, only over what has that tag, or where nothing is.

    Raises:
        Changed: something else is there.
    """
    attempt = attempt or secrets.token_hex(8)
    condition = {} if expected is None else {"IfNoneMatch": "*"} if expected == ABSENT else {"IfMatch": expected}
    named = {"Bucket": path.bucket, "Key": path.key, "Metadata": {_ATTEMPT: attempt}, "ContentType": "application/octet-stream"}
    try:
        while True:
            if not isinstance(content, bytes):
                content.seek(0)
            with suppress(_Met), _told(path):
                tag: str = client(once=once).put_object(Body=content, **named, **condition)["ETag"]
                return tag
            time.sleep(0.1)
    except (Changed, FileNotFoundError):
        # the answer to an earlier try of this very request may have been lost
        if (found := head(path)) and found.attempt == attempt:
            return found.tag
        raise


def delete(paths: "list[S3Path]") -> None:
    """Deletes objects, a thousand a request; what is not there is deleted."""
    for start in range(0, len(paths), 1000):
        some = paths[start : start + 1000]
        with _told(some[0]):
            if len(some) == 1:
                client().delete_object(Bucket=some[0].bucket, Key=some[0].key)
                continue
            named = {"Objects": [{"Key": path.key} for path in some], "Quiet": True}
            if failed := client().delete_objects(Bucket=some[0].bucket, Delete=named).get("Errors"):
                raise LakeError(f"{len(failed)} objects in {some[0].parent} could not be deleted: {failed[0].get('Message')}")


def listed(base: "S3Path", prefix: str, *, deep: bool, most: int = 1000) -> Iterator[tuple[str, Seen | None]]:
    """What lies under a prefix, by key, a thousand a request; not `deep`: up to the next slash, None stands for a directory."""
    token: dict[str, str] = {}
    while True:
        asked = {"Bucket": base.bucket, "Prefix": prefix, "MaxKeys": most, **({} if deep else {"Delimiter": "/"}), **token}
        with _told(base):
            answer = client().list_objects_v2(**asked)
        for found in answer.get("Contents", ()):
            yield found["Key"], Seen(found["ETag"], found["Size"], found["LastModified"])
        for directory in answer.get("CommonPrefixes", ()):
            yield directory["Prefix"].rstrip("/"), None
        if not answer.get("IsTruncated") or most < 1000:
            return
        token = {"ContinuationToken": answer["NextContinuationToken"]}


@contextmanager
def _told(path: "S3Path") -> Iterator[None]:
    """Says in our words what a request met."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except ClientError as error:
        raise _as_ours(error, path) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise LakeError(f"no credentials for {path}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE") from error
    except BotoCoreError as error:
        raise Unanswered(
            f"{path} cannot be reached ({error}); are AWS_ENDPOINT_URL and AWS_REGION right, and does the service run?"
        ) from error


def _as_ours(error: Any, path: "S3Path") -> Exception:
    code, said = _code(error), error.response.get("Error", {}).get("Message", "")
    if code in _NOT_FOUND:
        return FileNotFoundError(errno.ENOENT, "no such object", str(path))
    if code in _CHANGED:
        return Changed(str(path))
    if code in _MET:
        return _Met(str(path))
    if code == "NoSuchBucket":
        return LakeError(
            f"there is no bucket {path.bucket} at {client().meta.endpoint_url}: make it, or name another with --lake"
        )
    if code in _REFUSED:
        return LakeError(
            f"{path} may not be used with these credentials ({code}: {said}); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            f"what they may do in bucket {path.bucket}"
        )
    if code in {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}:
        return LakeError(f"bucket {path.bucket} lies in another region ({said}): set AWS_REGION")
    return Unanswered(f"{path}: {error}") if str(code)[:1] == "5" or code in _BUSY else LakeError(f"{path}: {error}")


def _code(error: Any) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
