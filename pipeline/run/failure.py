"""Why an attempt at an entry brought no article: how the fetch and the reading ended, as an outcome. Pure."""

from pipeline.errors import WorkerError
from pipeline.run.wall import wall_of
from schemas.article import Reading, Unreadable
from schemas.outcome import OutcomeCode
from schemas.web import Body, FetchCode

_OF_FETCH = {
    FetchCode.UNREACHABLE: OutcomeCode.UNREACHABLE,
    FetchCode.TOO_LARGE: OutcomeCode.TOO_LARGE,
    FetchCode.TOO_MANY_REDIRECTS: OutcomeCode.REDIRECT_LOOP,
    FetchCode.FORBIDDEN_ADDRESS: OutcomeCode.FORBIDDEN_ADDRESS,
    FetchCode.NOT_MODIFIED: OutcomeCode.UNCHANGED,
    FetchCode.DEFERRED: OutcomeCode.DEFERRED,
    FetchCode.NO_CREDENTIALS: OutcomeCode.REFUSED,
}
_OF_STATUS = {404: OutcomeCode.GONE, 410: OutcomeCode.GONE} | dict.fromkeys((401, 403, 451), OutcomeCode.REFUSED)


def failure(body: Body | None, read: Reading | Unreadable | WorkerError | None) -> tuple[str | None, str | None]:
    """Why an attempt brought no article, as code and in words; (None, None) where it did or needed no fetch."""
    if body and (wall := wall_of(body, read)):
        return wall.code, wall.sign
    match read:
        case Unreadable():
            return read.code, read.detail
        case WorkerError():
            return OutcomeCode.UNREADABLE, str(read)
        case Reading():
            return None, None
    if body is None:
        return None, None
    if body.code == FetchCode.OK:
        kind = body.header("content-type")
        return (OutcomeCode.NOT_HTML, f"content type {kind}") if body.content else (OutcomeCode.NO_TEXT, "the page is empty")
    if body.code == FetchCode.DISALLOWED:
        # a robots.txt that cannot be had forbids for now, not for good
        code = OutcomeCode.UNREACHABLE if body.robots == "unavailable" else OutcomeCode.DISALLOWED
        return code, body.detail
    if body.code == FetchCode.STATUS:
        return _OF_STATUS.get(body.status or 0, OutcomeCode.HTTP_ERROR), body.detail or f"status {body.status}"
    return _OF_FETCH[body.code], body.detail
