"""The names of the rules. Never rename one: ids are stored, and other people's reports read them."""

from enum import StrEnum


class Rule(StrEnum):
    """What is wrong, and the id of the rule (docs/contract.md, section 6). Listed by id, not in judging order."""

    TOKEN_UNKNOWN = "R01"  # noqa: S105 - a rule's id
    PARAMETER_MISSING = "R02"
    VALUE_INVALID = "R03"
    TEXT_TOO_LONG = "R04"
    TIMER_UNKNOWN = "R05"
    NOT_THE_OWNER = "R06"
    NOT_LEGAL_NOW = "R07"
    TIMERS_DISABLED = "R08"
    DAY_OFF = "R09"
    OUTSIDE_ATTENDANCE = "R10"
    OVER_DAILY_CAP = "R11"
    OVER_ESTIMATE = "R12"
    OVERLAP = "R13"
    FUTURE_TIME = "R14"
    PAST_TIME = "R15"
    LONG_RUNNING = "R16"
    OVERFULL_DAY = "R17"
    LATE_PRESS = "R18"
    RATE_LIMITED = "R19"
    OWNER_UNKNOWN = "R20"
    ID_TAKEN = "R21"
    EXPIRED = "R22"
    INTERNAL = "R23"
    KEY_REUSED = "R24"

    @property
    def reason(self) -> str:
        """The code that outcomes and problem bodies carry beside the id, such as "not_legal_now"."""
        return self.name.lower()


# Flags that are no rules: nothing is wrong, but readers want to know.
ZONE_ASSUMED = "zone_assumed"
LATE = "late"
