"""The answers about policies: a document with its revision, the history, and why a document was not set."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from services.command_api.desk.policies import MovedOn, NotSet, Revision, SetTooOften
from services.command_api.dialects.jsontext import written
from services.command_api.dialects.native.answers import problem, refused
from services.command_api.dialects.times import rfc3339
from shared.events.policies.book import PolicyRecord
from shared.events.policies.document import as_written
from shared.events.policies.revisions import Setting
from shared.events.rules import Rule
from shared.kafka.policy_writer import REVISIONS_A_DAY_MAX

_JSON: Final = "application/json"


def etag_of(revision: Revision) -> str:
    """Return the ETag of a revision."""
    return f'"{revision.number}"'


def document(revision: Revision) -> Response:
    """Answer with a document as its author wrote it, its revision, and who set it when."""
    body = as_written(revision.record.document) | _set(revision.number, revision.record)
    return Response(written(body), 200, {"ETag": etag_of(revision)}, _JSON)


def unchanged(revision: Revision) -> Response:
    """Answer 304: the caller has this revision."""
    return Response(status_code=304, headers={"ETag": etag_of(revision)})


def history(settings: Sequence[Setting], next_cursor: int | None) -> Response:
    """Answer with revisions, newest first, without their documents. `next_cursor` None: there are no older ones."""
    cursor = None if next_cursor is None else str(next_cursor)
    items = [_set(one.revision, one) for one in settings]
    return Response(written({"items": items, "next_cursor": cursor}), 200, media_type=_JSON)


def _set(number: int, setting: PolicyRecord | Setting) -> dict[str, object]:
    return {
        "revision": number,
        "replaces": setting.replaces,
        "set_by": setting.set_by,
        "set_at": rfc3339(setting.set_at),
    }


def moved_on(why: MovedOn) -> Response:
    """Answer 409: the document names a revision that is not in force."""
    if why.in_force is None:
        detail = "The tenant has no policy yet: its first one replaces null."
    else:
        detail = f"Revision {why.in_force} is in force. Read it, and replace that one."
    return problem(409, detail, None)


def set_too_often(why: SetTooOften) -> Response:
    """Answer 429: a tenant may not set revision after revision."""
    detail = (
        f"The tenant has set {REVISIONS_A_DAY_MAX} revisions within 24 hours. "
        "Look for a program that sets the policy again and again."
    )
    return problem(429, detail, Rule.RATE_LIMITED, {"Retry-After": str(why.retry_after_seconds)})


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
