"""Cells: each rule that a tenant may set, told for each verb: it breaks, it holds, and it stays quiet.

A cell is one verb of one scene in one mode. The document has every other rule off, so what comes of the press is this
rule's alone. With care: what a scene expects is copied from docs/contract.md, section 6, and never computed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from shared.events.models import (
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
)
from shared.events.outcome import Finding
from shared.events.policy import Policy
from shared.events.rule_rows import ModeWord
from shared.events.rule_table import RULE_ROWS
from shared.events.rules import Rule
from tests.support.story.given import (
    Came,
    Story,
    Told,
    accepted,
    book_of,
    fact,
    found,
    moment,
    paused,
    refused,
    resumed,
    started,
    stopped,
)

Verb = Literal["start", "resume", "pause", "stop"]
VERBS: Final[tuple[Verb, ...]] = ("start", "resume", "pause", "stop")
OPENING: Final[tuple[Verb, ...]] = ("start", "resume")
ENDING: Final[tuple[Verb, ...]] = ("pause", "stop")
# Which presses a mode refuses, as the contract says it. A stop is in none.
REFUSED: Final[Mapping[ModeWord, frozenset[Verb]]] = {
    **dict.fromkeys(("off", "allow", "flag", "pause_previous", "stop_previous"), frozenset()),
    "block": frozenset({"start", "resume"}),
    "strict": frozenset({"start", "resume", "pause"}),
}
# In these a rule says nothing at all.
SILENT: Final[frozenset[ModeWord]] = frozenset({"off", "allow"})
MODES: Final[Mapping[Rule, tuple[ModeWord, ...]]] = {row.rule: row.modes for row in RULE_ROWS if row.modes}

# The revision of the second document of a story's book.
JUDGED_BY: Final = 3
MONDAY, TUESDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 1)
Life = Mapping[Verb, tuple[Told, ...]]
Findings = Mapping[Verb, tuple[Finding, ...]]


def life(job_id: str | None = None, *, billable: bool = True) -> Life:
    """Return, for each verb, the presses after which it is legal at 09:30."""
    work: Any = {"billable": billable} | ({} if job_id is None else {"job_id": job_id})
    running = started("desk", at="09:00", **work)
    return {"start": (), "resume": (running, paused("desk", at="09:10")), "pause": (running,), "stop": (running,)}


def press(verb: Verb, **how: Any) -> Told:  # noqa: ANN401 - what `given` takes
    """Return the press that a cell is about."""
    pressing: Callable[..., Told] = {"start": started, "resume": resumed, "pause": paused, "stop": stopped}[verb]
    return pressing("desk", **{"at": "09:30", "policy_rev": JUDGED_BY} | how)


@dataclass(frozen=True)
class Scene:
    """One way in which a rule breaks, holds or stays quiet.

    `limits` are the rule's own settings, `document` the other fields of the policy that count. `told` is what becomes
    known just before the press. `finds` says what is told with each verb when the rule breaks; a verb that is not in it
    is none of the rule's. `refused` says the same of a press that a mode refuses. `labels` are the flags of the press:
    of what falls due by itself, the timer alone is flagged.
    """

    rule: Rule
    kind: Literal["breaks", "holds", "quiet"]
    name: str
    told: tuple[Told, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    before: Life = field(default_factory=life)
    how: Mapping[Verb, Mapping[str, Any]] = field(default_factory=dict)
    finds: Findings = field(default_factory=dict)
    refused: Findings = field(default_factory=dict)
    labels: tuple[str, ...] | None = None

    def came(self, verb: Verb, mode: ModeWord) -> Came:
        """Return what the contract says of the press."""
        if self.kind != "breaks" or mode in SILENT or verb not in self.finds:
            return accepted()
        if verb in self.refused and verb in REFUSED[mode]:
            return refused(self.rule, *self.refused[verb])
        labels = (self.rule.value,) if self.labels is None else self.labels
        return accepted(*labels, findings=self.finds[verb])

    def policy(self, mode: ModeWord) -> Policy:
        """Return the document that judges the press."""
        return document_of({self.rule: {"mode": mode, **self.limits}}, **self.document)

    def before_the_press(self, verb: Verb, mode: ModeWord) -> Story:
        """Return the story up to the press."""
        # Until then a document was in force under which no rule says anything.
        return Story(book_of(document_of({}), self.policy(mode))).when(*self.before[verb], *self.told)

    def story(self, verb: Verb, mode: ModeWord) -> Story:
        """Return the story up to the press, and with it."""
        return self.before_the_press(verb, mode).when(press(verb, **self.how.get(verb, {})))


def document_of(settings: Mapping[Rule, Mapping[str, Any]], **document: Any) -> Policy:  # noqa: ANN401 - its fields
    """Return a document with these settings, and every other rule off."""
    rules = {rule.value: {"mode": modes[0]} for rule, modes in MODES.items()}
    rules |= {rule.value: dict(said) for rule, said in settings.items()}
    return Policy.model_validate({"preset": "native", "zone": "Asia/Jerusalem", "rules": rules} | document)


def _pressed(rule: Rule, *verbs: Verb) -> Findings:
    """Return the finding of each press at 09:30. What begins there has no end yet, and what ends there has no time."""
    return {verb: (found(rule, "desk", "09:30", "09:30" if verb in ENDING else None),) for verb in verbs}


def _refused(rule: Rule, *verbs: Verb, at: str = "09:30") -> Findings:
    return {verb: (found(rule, "desk", at, refused=True),) for verb in verbs}


def _lasting(rule: Rule) -> dict[str, Any]:
    return {"rule": rule, "kind": "breaks", "finds": _pressed(rule, *VERBS), "refused": _refused(rule, *VERBS)}


def _used_up(rule: Rule) -> dict[str, Any]:
    # The crossing falls due at the very instant of the press, so a refused pause leaves its finding as it is.
    refused = {**_refused(rule, *OPENING), "pause": (found(rule, "desk", "09:30"),)}
    return {"rule": rule, "kind": "breaks", "finds": _pressed(rule, *VERBS), "refused": refused}


def _profile(**said: Any) -> Told:  # noqa: ANN401 - the fields of a profile
    return fact(OwnerProfileSet, "09:20", **said)


def _there(came: str, left: str | None, on: date = MONDAY, owner: str = "dana") -> Told:
    ends = None if left is None else moment(left)
    said: dict[str, Any] = {"on": on, "checked_in_at": moment(came), "checked_out_at": ends}
    return fact(OwnerAttendanceRecorded, "09:20", owner=owner, **said)


def _standing() -> Iterator[Scene]:
    rule = Rule.TIMERS_DISABLED
    off, on = _profile(timers_disabled=True), _profile(timers_disabled=False)
    yield Scene(name="the owner's timers are off", told=(off,), **_lasting(rule))
    yield Scene(name="the tenant's are", document={"timers_disabled": True}, **_lasting(rule))
    yield Scene(rule, "holds", "they are on again", told=(off, on))
    yield Scene(rule, "quiet", "another owner's are off", told=(_profile(owner="noam", timers_disabled=True),))
    rule = Rule.OWNER_UNKNOWN
    yield Scene(name="no profile was ever set", **_lasting(rule))
    yield Scene(name="the owner is inactive", told=(_profile(active=False),), **_lasting(rule))
    yield Scene(rule, "holds", "the owner is active again", told=(_profile(active=False), _profile(active=True)))
    yield Scene(rule, "quiet", "a profile that says nothing of it", told=(_profile(zone="Asia/Jerusalem"),))


def _days() -> Iterator[Scene]:
    rule = Rule.DAY_OFF
    on_monday, on_tuesday = (fact(OwnerLeaveGranted, "09:20", on=on) for on in (MONDAY, TUESDAY))
    weekend = {"weekend": [{"from": "2026-01-01", "days": "1,2"}]}
    yield Scene(name="leave", told=(on_monday,), **_lasting(rule))
    yield Scene(name="a holiday", document={"holidays": [{"day": str(MONDAY)}]}, **_lasting(rule))
    yield Scene(name="a weekend", document=weekend, **_lasting(rule))
    yield Scene(rule, "holds", "leave of tomorrow", told=(on_tuesday,))
    yield Scene(rule, "holds", "a holiday of yesterday", document={"holidays": [{"day": str(SUNDAY)}]})
    friday = {"weekend": [{"from": "2026-01-01", "days": "6,7"}, {"from": str(TUESDAY), "days": "2"}]}
    yield Scene(rule, "holds", "a weekend of other days, and a later one of Mondays", document=friday)
    yield Scene(rule, "quiet", "leave revoked", told=(on_monday, fact(OwnerLeaveRevoked, "09:25", on=MONDAY)))
    yield Scene(
        rule, "quiet", "another owner's leave", told=(fact(OwnerLeaveGranted, "09:20", owner="noam", on=MONDAY),)
    )
    rule = Rule.OUTSIDE_ATTENDANCE
    yield Scene(name="gone", told=(_there("07:00", "08:00"),), **_lasting(rule))
    yield Scene(name="not there yet", told=(_there("09:30:00.000001", None),), **_lasting(rule))
    yield Scene(rule, "holds", "there", told=(_there("09:30", "10:00"),))
    yield Scene(rule, "holds", "there without a check-out", told=(_there("08:00", None),))
    yield Scene(rule, "quiet", "no check-in that day", told=(_there("2026-03-01T07:00", "2026-03-01T08:00", SUNDAY),))
    yield Scene(rule, "quiet", "another owner gone", told=(_there("07:00", "08:00", owner="noam"),))


def _hour(*, until: str = "09:00", **work: Any) -> Life:  # noqa: ANN401 - what a start takes
    """Return lives with an hour on one job at 09:30; a little less when the first half is worked `until` earlier.

    Of a pause and a stop, the second half is the pressed timer's, which runs.
    """
    half = (started("half", at="08:30", job_id="roof"), stopped("half", at=until, logged="09:00"))
    beside: dict[Verb, tuple[Told, ...]] = {
        "start": (started("other", at="09:00", job_id="roof"), stopped("other", at="09:30")),
        "resume": (started("other", at="09:10", job_id="roof"), stopped("other", at="09:30")),
    }
    return {verb: (*half, *lived, *beside.get(verb, ())) for verb, lived in life("roof", **work).items()}


def _limits() -> Iterator[Scene]:
    rule, full, almost = Rule.OVER_DAILY_CAP, _hour(), _hour(until="08:59:59.999999")
    cap: dict[str, Any] = {"billable_seconds_per_day": 3600}
    unbilled: dict[str, Any] = {"before": _hour(billable=False), "how": {"start": {"billable": False}}}
    yield Scene(name="the hour is full", limits=cap, before=full, **_used_up(rule))
    yield Scene(rule, "holds", "a microsecond is left", limits=cap, before=almost)
    yield Scene(rule, "quiet", "no limit", before=full)
    yield Scene(rule, "quiet", "a timer that is not billable", limits=cap, **unbilled)
    rule, estimate = Rule.OVER_ESTIMATE, _estimate("roof", 3600)
    on_roof: dict[str, Any] = {"how": {"start": {"job_id": "roof"}}}
    yield Scene(name="the hour is used up", told=estimate, before=full, **on_roof, **_used_up(rule))
    yield Scene(rule, "holds", "a microsecond is left", told=estimate, before=almost, **on_roof)
    yield Scene(rule, "quiet", "no estimate", before=full, **on_roof)
    yield Scene(rule, "quiet", "another job's", told=_estimate("cellar", 0), before=full, **on_roof)
    yield Scene(rule, "quiet", "another owner's", told=_estimate("roof", 0, "noam"), before=full, **on_roof)


def _estimate(job_id: str, seconds: int, owner: str = "dana") -> tuple[Told, ...]:
    return (fact(OwnerEstimateSet, "08:00", owner=owner, job_id=job_id, seconds=seconds),)


def _beside() -> Iterator[Scene]:
    rule = Rule.OVERLAP
    finds, refused = _pressed(rule, *OPENING), _refused(rule, *OPENING)
    runs = (started("other", at="09:20"),)
    yield Scene(rule, "breaks", "another timer runs", told=runs, finds=finds, refused=refused)
    yield Scene(rule, "holds", "it ended at that instant", told=(*runs, stopped("other", at="09:30")))
    yield Scene(rule, "quiet", "another owner's timer runs", told=(started("other", at="09:20", owner="noam"),))


def _times() -> Iterator[Scene]:
    rule, ahead, long_ago = Rule.FUTURE_TIME, "09:31:00.000001", "09:19:59.999999"
    finds: Findings = dict.fromkeys(VERBS, (found(rule, "desk", "09:30", ahead),))
    refused: Findings = dict.fromkeys(VERBS, (found(rule, "desk", "09:30", ahead, refused=True),))
    yield Scene(rule, "breaks", "over a minute ahead", how=_every(asked=ahead), finds=finds, refused=refused)
    yield Scene(rule, "holds", "the present", how=_every(asked="09:30"))
    yield Scene(rule, "quiet", "only the API's clock is ahead", how=_every(at="09:40", logged="09:30"))
    rule = Rule.PAST_TIME
    limits: dict[str, Any] = {"max_backdate_seconds": 600}
    finds = dict.fromkeys(OPENING, (found(rule, "desk", long_ago),))
    refused = _refused(rule, *OPENING, at=long_ago)
    yield Scene(rule, "breaks", "too long ago", limits=limits, how=_every(asked=long_ago), finds=finds, refused=refused)
    yield Scene(rule, "holds", "as long ago as may be", limits=limits, how=_every(asked="09:20"))
    yield Scene(rule, "quiet", "no limit", how=_every(asked=long_ago))
    # Time that was worked counts in each mode, so an end is flagged and not refused.
    finds = {**_pressed(rule, *OPENING), **dict.fromkeys(ENDING, (found(rule, "desk", "09:00", "09:30"),))}
    refused = _refused(rule, *OPENING)
    yield Scene(rule, "breaks", "a locked day", limits={"locked_before": TUESDAY}, finds=finds, refused=refused)
    yield Scene(rule, "holds", "the first day that is not locked", limits={"locked_before": MONDAY})


def _every(**how: str) -> Mapping[Verb, Mapping[str, Any]]:
    return dict.fromkeys(VERBS, how)


def _only_told() -> Iterator[Scene]:
    """Return the scenes of the rules that refuse nothing."""
    rule = Rule.LONG_RUNNING
    beside = (started("other", at="09:00"),)
    long: Life = {verb: (*beside, *lived) if verb in OPENING else lived for verb, lived in life().items()}
    finds: Findings = {
        **dict.fromkeys(OPENING, (found(rule, "other", "09:30"),)),
        **dict.fromkeys(ENDING, (found(rule, "desk", "09:30", "09:30"),)),
    }
    half_an_hour, more = {"long_running_seconds": 1800}, {"long_running_seconds": 1801}
    yield Scene(rule, "breaks", "half an hour", limits=half_an_hour, before=long, finds=finds, labels=())
    yield Scene(rule, "holds", "a second is left", limits=more, before=long)
    yield Scene(rule, "quiet", "no limit", before=long)
    rule = Rule.OVERFULL_DAY
    # From half past one, three timers fill the 24 hours of Monday by half past nine.
    two = [found(rule, name, "09:30") for name in ("one", "two")]
    finds = {
        **dict.fromkeys(OPENING, _in_order(*two, found(rule, "other", "09:30"))),
        **dict.fromkeys(ENDING, _in_order(*two, found(rule, "desk", "09:30", "09:30"))),
    }
    yield Scene(rule, "breaks", "the day is full", before=_three("01:30"), finds=finds, labels=())
    yield Scene(rule, "holds", "a second is left", before=_three("01:30:01"))
    yield Scene(rule, "quiet", "one timer alone")
    rule = Rule.LATE_PRESS
    late: Findings = dict.fromkeys(VERBS, ())
    yield Scene(rule, "breaks", "over a minute late", how=_every(asked="09:28:59.999999"), finds=late, labels=("late",))
    yield Scene(rule, "holds", "a minute late", how=_every(asked="09:29"))
    moved: dict[Verb, tuple[str, str]] = {
        "resume": ("09:09:58.999999", "09:10"),
        "pause": ("08:59:58.999999", "09:00"),
        "stop": ("08:59:58.999999", "09:00"),
    }
    how = {verb: {"asked": asked} for verb, (asked, _) in moved.items()}
    finds = {verb: (found(rule, "desk", asked, last),) for verb, (asked, last) in moved.items()}
    yield Scene(rule, "breaks", "moved", how=how, finds=finds, labels=("R18", "late"))
    yield Scene(rule, "quiet", "no time was asked for", how=_every(at="09:20", logged="09:30"))


def _in_order(*of_one_instant: Finding) -> tuple[Finding, ...]:
    return tuple(sorted(of_one_instant, key=lambda one: one.timer_id))


def _three(last: str) -> Life:
    """Return lives in which two timers run from half past one, and a third from `last`."""
    two = (started("one", at="01:30"), started("two", at="01:30"))
    paused_at_once = (started("desk", at="01:30"), paused("desk", at="01:30"))
    third, desk = started("other", at=last), started("desk", at=last)
    return {
        "start": (*two, third),
        "resume": (*two, *paused_at_once, third),
        "pause": (*two, desk),
        "stop": (*two, desk),
    }


SCENES: Final[tuple[Scene, ...]] = (*_standing(), *_days(), *_limits(), *_beside(), *_times(), *_only_told())
