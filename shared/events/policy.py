"""Policy: one document per tenant, a whole new one per revision. The book of all documents is `policies.book`.

What the fold asks of a document is worked out once, in `policies.terms`.

With care: what makes a document invalid (`SECONDS_MAX`, a zone's name). All releases must agree on that for good. A
value that a later release may know is waited for (`LATER`). `Policy.unfit` is stricter, and asked only when a document
is set.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from .base import Day, Model
from .rule_table import RULE_ROWS, row_of
from .rules import Rule
from .zones import is_zone


class Preset(StrEnum):
    """The product whose rules the defaults follow."""

    NATIVE = "native"
    THEBASE = "thebase"
    ZOHO = "zoho"


class Mode(StrEnum):
    """What a rule does when it fires. `block` refuses start and resume, and flags the rest; `strict` also pause."""

    OFF = "off"
    FLAG = "flag"
    BLOCK = "block"
    STRICT = "strict"


class OverlapMode(StrEnum):
    """What happens when another timer of the owner runs."""

    ALLOW = "allow"
    FLAG = "flag"
    PAUSE_PREVIOUS = "pause_previous"
    STOP_PREVIOUS = "stop_previous"
    BLOCK = "block"


# What a document of a later release may hold and this one does not know: a field, a word, a zone.
_UNKNOWN_ZONE: Final = "zone_unknown"
LATER: Final = frozenset({"extra_forbidden", "enum", _UNKNOWN_ZONE})


def _known_zone(name: str) -> str:
    if not is_zone(name):
        raise PydanticCustomError(
            _UNKNOWN_ZONE, "is no time zone that this release knows: it may be one such as Asia/Jerusalem"
        )
    return name


def _weekday_set(text: str) -> str:
    days = text.split(",")
    if any(day not in {"1", "2", "3", "4", "5", "6", "7"} for day in days) or len(set(days)) != len(days):
        msg = 'is no set of days such as "6,7" (1 = Sunday)'
        raise ValueError(msg)
    return text


# A name that no release can have as a zone is malformed, not unknown.
ZoneName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"), AfterValidator(_known_zone)
]


# A length of time that a rule counts with: a second to 366 days. Without a bound, some clock would overflow.
SECONDS_MAX: Final = 366 * 24 * 60 * 60
Seconds = Annotated[int, Field(ge=1, le=SECONDS_MAX)]

# How many a document may have that is about to be set: no company has so many, and all processes keep each document.
HOLIDAYS_MAX: Final = 1_000
WEEKENDS_MAX: Final = 100


class WeekendFrom(Model):
    """Which days are the weekend, from a local date on. 1 is Sunday, so "6,7" is Friday and Saturday."""

    from_: Annotated[Day, Field(alias="from")]
    days: Annotated[str, AfterValidator(_weekday_set)]


class Holiday(Model):
    """A local day on which the tenant does not work."""

    day: Day
    name: str | None = None


class RuleMode(Model):
    """A rule that has only a mode."""

    mode: Mode | None = None


class DailyCap(RuleMode):
    """R11: billable seconds of an owner's local day."""

    billable_seconds_per_day: Seconds | None = None


class Overlap(Model):
    """R13: another timer of the owner runs."""

    mode: OverlapMode | None = None


class PastTime(RuleMode):
    """R15: how far back a start may lie."""

    max_backdate_seconds: Seconds | None = None
    locked_before: Day | None = None


class LongRunning(RuleMode):
    """R16: the length at which an interval is flagged, and the one at which the system stops its timer."""

    long_running_seconds: Seconds | None = None
    auto_close_seconds: Seconds | None = None


class Rules(Model):
    """The tenant's settings of single rules. What is left out is the preset's."""

    R08: RuleMode | None = None
    R09: RuleMode | None = None
    R10: RuleMode | None = None
    R11: DailyCap | None = None
    R12: RuleMode | None = None
    R13: Overlap | None = None
    R14: RuleMode | None = None
    R15: PastTime | None = None
    R16: LongRunning | None = None
    R17: RuleMode | None = None
    R18: RuleMode | None = None
    R20: RuleMode | None = None


# What a document leaves out. R13 has modes of its own.
_DEFAULTS: Final[Mapping[Preset, Mapping[Rule, Mode]]] = {
    preset: {row.rule: Mode(row.default_of(preset)) for row in RULE_ROWS if row.rule is not Rule.OVERLAP}
    for preset in Preset
}
_OVERLAP_DEFAULTS: Final = {preset: OverlapMode(row_of(Rule.OVERLAP).default_of(preset)) for preset in Preset}
# A pause that R14 refuses counts when it is sent again without its time, so no timer runs on because of it.
_PAUSE_RULES: Final = tuple(
    row.rule for row in RULE_ROWS if Mode.STRICT in row.modes and row.rule is not Rule.FUTURE_TIME
)


class Policy(Model):
    """One tenant's rules, as one revision states them."""

    preset: Preset
    zone: ZoneName
    timers_disabled: bool = False
    weekend: tuple[WeekendFrom, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    rules: Rules = Rules()

    def mode(self, rule: Rule) -> Mode:
        """Return the mode of a rule: the document's, else the preset's. R13 has `overlap_mode`."""
        stated: RuleMode | None = vars(self.rules).get(rule)  # a rule is its id
        if stated is not None and stated.mode is not None:
            return stated.mode
        return _DEFAULTS[self.preset].get(rule, Mode.FLAG)

    @property
    def overlap_mode(self) -> OverlapMode:
        """Return what R13 does."""
        overlap = self.rules.R13
        if overlap is not None and overlap.mode is not None:
            return overlap.mode
        return _OVERLAP_DEFAULTS[self.preset]

    @property
    def auto_close_seconds(self) -> int | None:
        """Return the length at which the system stops a timer, or None: never."""
        long = self.rules.R16
        return None if long is None or self.mode(Rule.LONG_RUNNING) is Mode.OFF else long.auto_close_seconds

    @property
    def unfit(self) -> tuple[str, ...]:
        """Return each reason why this document cannot be set. A document that was set before counts all the same."""
        impossible = (*_too_long(self), *_impossible_modes(self))
        # Otherwise a timer whose pause was refused on Friday would run until Monday.
        strict = [rule.value for rule in _PAUSE_RULES if self.mode(rule) is Mode.STRICT]
        if strict and self.auto_close_seconds is None:
            return *impossible, f"rules.R16.{self._lacking_an_end} while {', '.join(strict)} may refuse a pause"
        return impossible

    @property
    def _lacking_an_end(self) -> str:
        """Return what of R16 is to be stated, so that the system stops timers."""
        is_set = self.rules.R16 is not None and self.rules.R16.auto_close_seconds is not None
        return "mode must be flag" if is_set else "auto_close_seconds must be set"


def _impossible_modes(policy: Policy) -> Iterator[str]:
    """Name each rule with a mode that it cannot have. R16 to R18 refuse nothing, so `block` would not be kept."""
    for row in RULE_ROWS:
        stated = getattr(policy.rules, row.rule.value, None)
        if stated is not None and stated.mode is not None and stated.mode not in row.modes:
            yield f"rules.{row.rule.value}.mode cannot be {stated.mode.value}: it is one of {', '.join(row.modes)}"


def _too_long(policy: Policy) -> Iterator[str]:
    """Name each list that is too long."""
    for name, there, most in (
        ("weekend", len(policy.weekend), WEEKENDS_MAX),
        ("holidays", len(policy.holidays), HOLIDAYS_MAX),
    ):
        if there > most:
            yield f"{name} may have at most {most} days, and has {there}"
