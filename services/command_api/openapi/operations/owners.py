"""Dialect C's owners: what admins state about one, and what is known."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from services.command_api.dialects.native.owners.reading import AttendanceBody, EstimateBody, NoBody, ProfileBody
from services.command_api.openapi.operations.common import (
    BEARER,
    DAY_SCHEMA,
    JOB,
    KEY,
    MAY_BE_MISSING,
    MIN_POSITION,
    OWNER,
    POSITION,
    WAIT,
    DayText,
    MomentText,
    PositionText,
    problems,
    with_body,
)
from services.command_api.openapi.operations.timers import RECORDED
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc, ParameterDoc


class AttendedWindow(BaseModel):
    """A check-in and its check-out. null: it has no end yet."""

    on: DayText
    checked_in_at: MomentText
    checked_out_at: MomentText | None


class JobEstimate(BaseModel):
    """How long an owner should need for a job."""

    job_id: str
    seconds: int


class KnownOwner(BaseModel):
    """All that is known of an owner. null: it was never stated."""

    owner: str
    zone: str | None
    timers_disabled: bool | None
    active: bool | None
    aliases: Annotated[list[str] | None, Field(description="null: the owner is no person of this tenant.")]
    leave: list[DayText]
    attendance: list[AttendedWindow]
    estimates: list[JobEstimate]
    position: Annotated[
        PositionText | None, Field(description="null: no press on the owner's partition is folded yet.")
    ]


class ProfileFact(BaseModel):
    """What was stated of the owner. What was not stated is not there, and stays as it was."""

    kind: Literal["profile"]
    zone: Annotated[str, MAY_BE_MISSING]
    timers_disabled: Annotated[bool, MAY_BE_MISSING]
    active: Annotated[bool, MAY_BE_MISSING]


class LeaveFact(BaseModel):
    """A day of leave, granted or revoked."""

    kind: Literal["leave"]
    day: DayText
    granted: bool


class AttendanceFact(AttendedWindow):
    """A window of attendance."""

    kind: Literal["attendance"]


class EstimateFact(JobEstimate):
    """An estimate."""

    kind: Literal["estimate"]


class ErasureFact(BaseModel):
    """The owner's texts are erased."""

    kind: Literal["texts_erased"]


OwnerFact = Annotated[
    ProfileFact | LeaveFact | AttendanceFact | EstimateFact | ErasureFact, Field(discriminator="kind")
]


class LearnedFact(BaseModel):
    """A fact as it was learned. `aliases` is there when they were set with it."""

    owner: str
    fact: OwnerFact
    aliases: Annotated[list[str], MAY_BE_MISSING]
    position: PositionText


_DAY: Final = ParameterDoc("day", "path", "The local day.", DAY_SCHEMA, "2026-04-02", required=True)
_STATEMENT: Final = "A press like any other, with its verdict. For clients with the role admin."


def _learned(fact: dict[str, object], **more: object) -> AnswerDoc:
    example = {"owner": "dana", "fact": fact, **more, "position": POSITION}
    return AnswerDoc(200, "The fact as it was learned.", (ContentDoc("LearnedFact", LearnedFact, example),))


def _statement(
    method: Literal["POST", "PUT", "DELETE"],
    path: str,
    called: str,
    summary: str,
    learned: AnswerDoc,
    body: ContentDoc | None = None,
    *statuses: int,
) -> OperationDoc:
    named = tuple(parameter for parameter in (OWNER, _DAY, JOB) if f"{{{parameter.name}}}" in path)
    return OperationDoc(
        method=method,
        path=path,
        id=called,
        tag="owners",
        summary=summary,
        description=_STATEMENT,
        parameters=(*named, KEY, WAIT),
        bodies=(body or ContentDoc("NoMembers", NoBody, {}),),
        body_required=body is not None and called != "putOwner",
        answers=(learned, RECORDED, *with_body(403, 422, *statuses)),
        security=BEARER,
    )


_WINDOW: Final = {
    "on": "2026-01-05",
    "checked_in_at": "2026-01-05T08:00:00.000000Z",
    "checked_out_at": "2026-01-05T12:00:00.000000Z",
}
_PROFILE: Final = {"zone": "Europe/Berlin", "timers_disabled": False, "active": True}

OPERATIONS: Final = (
    OperationDoc(
        method="GET",
        path="/v1/owners/{owner}",
        id="getOwner",
        tag="owners",
        summary="Read what is known of an owner",
        description="A person's token reads that person alone.",
        parameters=(OWNER, MIN_POSITION),
        answers=(
            AnswerDoc(
                200,
                "All that is known.",
                (
                    ContentDoc(
                        "KnownOwner",
                        KnownOwner,
                        {
                            "owner": "dana",
                            **_PROFILE,
                            "aliases": ["E-17"],
                            "leave": ["2026-04-02"],
                            "attendance": [_WINDOW],
                            "estimates": [{"job_id": "roof", "seconds": 7200}],
                            "position": POSITION,
                        },
                    ),
                ),
            ),
            *problems(400, 404),
        ),
        security=BEARER,
    ),
    _statement(
        "PUT",
        "/v1/owners/{owner}",
        "putOwner",
        "State an owner's zone, aliases, and whether timers are disabled",
        _learned({"kind": "profile", **_PROFILE}, aliases=["E-17"]),
        ContentDoc("OwnerProfile", ProfileBody, {**_PROFILE, "aliases": ["E-17"]}),
        404,
    ),
    _statement(
        "PUT",
        "/v1/owners/{owner}/leave/{day}",
        "grantLeave",
        "Grant a day of leave",
        _learned({"kind": "leave", "day": "2026-04-02", "granted": True}),
    ),
    _statement(
        "DELETE",
        "/v1/owners/{owner}/leave/{day}",
        "revokeLeave",
        "Revoke a day of leave",
        _learned({"kind": "leave", "day": "2026-04-02", "granted": False}),
    ),
    _statement(
        "POST",
        "/v1/owners/{owner}/attendance",
        "recordAttendance",
        "Record a check-in, and its check-out",
        _learned({"kind": "attendance", **_WINDOW}),
        ContentDoc(
            "Attendance",
            AttendanceBody,
            {"checked_in_at": "2026-01-05T08:00:00Z", "checked_out_at": "2026-01-05T12:00:00Z"},
        ),
    ),
    _statement(
        "PUT",
        "/v1/owners/{owner}/estimates/{job}",
        "setEstimate",
        "Say how long an owner should need for a job",
        _learned({"kind": "estimate", "job_id": "roof", "seconds": 7200}),
        ContentDoc("Estimate", EstimateBody, {"seconds": 7200}),
    ),
    _statement(
        "DELETE",
        "/v1/owners/{owner}/texts",
        "eraseTexts",
        "Erase an owner's comments and work items",
        _learned({"kind": "texts_erased"}),
    ),
)
