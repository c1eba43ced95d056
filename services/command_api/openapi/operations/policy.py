"""Dialect C's policy: the tenant's rules, as numbered revisions."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.command_api.dialects.native.policy.reading import PAGE_MAX
from services.command_api.openapi.operations.common import (
    BEARER,
    MIN_POSITION,
    MomentText,
    cursor,
    limit,
    problems,
    with_body,
)
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc, ParameterDoc
from shared.events.policy import HOLIDAYS_MAX, WEEKENDS_MAX, Policy
from shared.kafka.policy_writer import REVISIONS_A_DAY_MAX

_PATH: Final = "/v1/policy"
_REVISION_PATTERN: Final = "^(0|[1-9][0-9]{0,17})$"


class ProposedPolicy(Policy):
    """A whole document, and the revision that it replaces: mandatory without `If-Match`, null for a first policy."""

    model_config = ConfigDict(extra="forbid")

    replaces: Annotated[int | None, Field(ge=0)] = None


class PolicyRevision(BaseModel):
    """Which revision it is, which one it replaced, and who set it when."""

    revision: int
    replaces: int | None
    set_by: str
    set_at: MomentText


class PolicyInForce(PolicyRevision, Policy):
    """A document as its author wrote it, with its revision. What was left out is the preset's."""


class PolicyHistory(BaseModel):
    """Revisions, newest first. `next_cursor` null: there are no older ones."""

    items: list[PolicyRevision]
    next_cursor: str | None


_DOCUMENT: Final = {"preset": "native", "zone": "Asia/Jerusalem", "rules": {"R13": {"mode": "allow"}}}
_SET: Final = {"revision": 42, "replaces": 7, "set_by": "office", "set_at": "2026-11-28T05:19:38.204117Z"}
_IN_FORCE: Final = AnswerDoc(
    200, "The document.", (ContentDoc("PolicyInForce", PolicyInForce, _DOCUMENT | _SET),), ("ETag",)
)
_KNOWN: Final = ParameterDoc(
    "If-None-Match", "header", "An ETag that the caller has: 304 while it is in force.", {"type": "string"}, '"42"'
)
_UNCHANGED: Final = AnswerDoc(304, "The caller has this revision.", headers=("ETag",))

OPERATIONS: Final = (
    OperationDoc(
        method="GET",
        path=_PATH,
        id="getPolicy",
        tag="policy",
        summary="Read the policy in force",
        parameters=(_KNOWN, MIN_POSITION),
        answers=(_IN_FORCE, _UNCHANGED, *problems(400, 403, 404)),
        security=BEARER,
    ),
    OperationDoc(
        method="PUT",
        path=_PATH,
        id="putPolicy",
        tag="policy",
        summary="Set the next revision",
        description=(
            "A whole document, for clients with the role admin. It names the revision that it replaces, in `If-Match` "
            "or in `replaces`: when another one is in force by now the answer is 409. A document that is in force "
            f"already is not set again. A tenant may set {REVISIONS_A_DAY_MAX} revisions in 24 hours: then the answer "
            f"is 429. A document may have {HOLIDAYS_MAX} holidays and {WEEKENDS_MAX} weekends."
        ),
        parameters=(
            ParameterDoc(
                "If-Match",
                "header",
                "The ETag of the revision to be replaced.",
                {"type": "string", "pattern": '^"(0|[1-9][0-9]{0,17})"$'},
                '"7"',
            ),
        ),
        bodies=(ContentDoc("ProposedPolicy", ProposedPolicy, _DOCUMENT | {"replaces": 7}),),
        answers=(_IN_FORCE, *with_body(403, 409)),
        security=BEARER,
    ),
    OperationDoc(
        method="GET",
        path=f"{_PATH}/history",
        id="getPolicyHistory",
        tag="policy",
        summary="List all revisions, newest first",
        parameters=(cursor("The `next_cursor` of the page before."), limit(PAGE_MAX, PAGE_MAX), MIN_POSITION),
        answers=(
            AnswerDoc(
                200,
                "A page of revisions, without their documents.",
                (ContentDoc("PolicyHistory", PolicyHistory, {"items": [_SET], "next_cursor": None}),),
            ),
            *problems(400, 403),
        ),
        security=BEARER,
    ),
    OperationDoc(
        method="GET",
        path=f"{_PATH}/{{revision}}",
        id="getPolicyRevision",
        tag="policy",
        summary="Read one revision of the policy",
        parameters=(
            ParameterDoc(
                "revision",
                "path",
                "The revision's number.",
                {"type": "string", "pattern": _REVISION_PATTERN},
                "42",
                required=True,
            ),
            _KNOWN,
            MIN_POSITION,
        ),
        answers=(_IN_FORCE, _UNCHANGED, *problems(400, 403, 404)),
        security=BEARER,
    ),
)
