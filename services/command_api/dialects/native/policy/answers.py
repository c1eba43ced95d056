"""The answers about policies: a document with its revision, the history, and why a document was not set."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from services.command_api.desk.policies import MovedOn, NotSet, Revision
from services.command_api.dialects.jsontext import written
from services.command_api.dialects.native.answers import problem, refused
from services.command_api.dialects.times import rfc3339
from shared.events.policies.document import as_said
from shared.events.rules import Rule

_JSON: Final = "application/json"


def etag_of(revision: Revision) -> str:
    """Return the ETag of a revision."""
    return f'"{revision.number}"'


def document(revision: Revision) -> Response:
    """Answer with a document as its author wrote it, its revision, and who set it when."""
    body = as_said(revision.record.document) | _set(revision)
    return Response(written(body), 200, {"ETag": etag_of(revision)}, _JSON)


def unchanged(revision: Revision) -> Response:
    """Answer 304: the caller has this revision."""
    return Response(status_code=304, headers={"ETag": etag_of(revision)})


def history(revisions: Sequence[Revision], next_cursor: int | None) -> Response:
    """Answer with revisions, newest first, without their documents. `next_cursor` None: there are no older ones."""
    cursor = None if next_cursor is None else str(next_cursor)
    return Response(written({"items": list(map(_set, revisions)), "next_cursor": cursor}), 200, media_type=_JSON)


def _set(revision: Revision) -> dict[str, object]:
    record = revision.record
    return {
        "revision": revision.number,
        "replaces": record.replaces,
        "set_by": record.set_by,
        "set_at": rfc3339(record.set_at),
    }


def moved_on(why: MovedOn) -> Response:
    """Answer 409: the document names a revision that is not in force."""
    if why.in_force is None:
        detail = "The tenant has no policy yet: its first one replaces null."
    else:
        detail = f"Revision {why.in_force} is in force. Read it, and replace that one."
    return problem(409, detail, None)


def not_set(why: NotSet) -> Response:
    """Answer 503. The same call may be repeated in any case."""
    if why.may_be_set:
        detail = (
            "It is not known whether the policy was recorded. Send the same request again, or read what is in force."
        )
    else:
        detail = "The policy was not recorded. Please try again."
    return problem(503, detail, None, {"Retry-After": str(why.retry_after_seconds)})


def no_such_revision() -> Response:
    """Answer 404, the same for a revision that never was, a void one, and another tenant's."""
    return problem(404, "There is no such revision of the policy.", None)


def none_yet() -> Response:
    """Answer 404: the tenant has no policy."""
    return problem(404, "The tenant has no policy yet.", None)


def not_for_this_role(detail: str) -> Response:
    """Answer a call that the caller's role may not make."""
    return refused(Rule.NOT_THE_OWNER, detail)
