"""What a row of the table of rules holds, and the published words that many rows share. `rule_table` has the rows.

Plain data: no service is needed to import it, and no row says how a rule is judged.
Never: a message or a code of dialect B that has "doc" beside it in docs/contract.md, section 3, or its spelling.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from .rules import Rule

ModeWord = Literal["off", "flag", "block", "strict", "allow", "pause_previous", "stop_previous"]
ThebaseStatus = Literal[400, 401, 404, 500, 503]
ZohoCode = int | str

FLAGS: Final[tuple[ModeWord, ...]] = ("off", "flag")
REFUSES: Final[tuple[ModeWord, ...]] = (*FLAGS, "block")
REFUSES_PAUSES: Final[tuple[ModeWord, ...]] = (*REFUSES, "strict")
OVERLAPS: Final[tuple[ModeWord, ...]] = ("allow", "flag", "pause_previous", "stop_previous", "block")

# Dialect B's message where a rule has none of its own. `fetch` is `getcurrentlyrunningtimer`.
ZOHO_FAILED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "start": "Error in adding timelog",
        "pause": "Error in pausing the timer",
        "resume": "Error in restarting the timer",
        "fetch": "Error in fetching the running timer",
    }
)
ZOHO_BAD_TOKEN: Final = "The provided OAuth token is invalid"  # noqa: S105 - a message about a token
# The text beside each code of dialect B.
ZOHO_TEXTS: Final[Mapping[ZohoCode, str]] = MappingProxyType(
    {
        7038: "Permission denied",
        7209: "API access blocked since threshold limit exceeded. Please try after some time",
        8000: "No parameter specified",
        8001: "Wrong value for parameter",
        8002: "Wrong format for parameter",
        8005: "Timer is disabled in Settings. Contact your Administrator",
        8008: "Cannot log time during Weekend/Holidays/Leave",
        "INVALID_OAUTHTOKEN": ZOHO_BAD_TOKEN,
        "SERVICE_UNAVAILABLE": "Please try after some time",
        "INTERNAL_SERVER_ERROR": "Something went wrong on our side",
    }
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A field of the policy that a rule counts with: its path in the document, and what it means."""

    path: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Finds:
    """When a rule's finding begins ("at the press"), and when it ends, as a clause ("it ends when …")."""

    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class ZohoAnswer:
    """Dialect B's answer to a refusal: a code, the message for each verb, and the HTTP status."""

    code: ZohoCode
    messages: Mapping[str, str] = field(default_factory=lambda: ZOHO_FAILED)
    status: int = 400
    # The code when a start's own date is malformed, where there is one.
    code_of_a_date: ZohoCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One rule. Without `modes` the rule is no tenant's to set, and refuses (or is void) whenever it fires.

    `presets` names the presets whose default is another than `default`. `beside` are limits that no policy holds.
    """

    rule: Rule
    # What is wrong, for the page: the subject of "fires when".
    means: str
    # What dialects A and C say to a caller. Nothing of the request is repeated in it.
    sentence: str
    zoho: ZohoAnswer
    native: int
    # The same where one parameter is wrong: its published name is put in.
    about: str | None = None
    # Dialect A's status of a start and of a stop.
    thebase: Mapping[str, ThebaseStatus] = field(default_factory=lambda: on_both(400))
    modes: tuple[ModeWord, ...] = ()
    default: ModeWord = "flag"
    presets: Mapping[str, ModeWord] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    beside: tuple[str, ...] = ()
    finds: Finds | None = None

    @property
    def refuses(self) -> bool:
        """Whether a press can be refused by this rule. R21 and R22 are void, which is no refusal."""
        return self.rule not in {Rule.ID_TAKEN, Rule.EXPIRED} and self.modes != FLAGS

    def default_of(self, preset: str) -> ModeWord:
        """Return the mode that a preset gives the rule. Of a rule without modes it means nothing."""
        return self.presets.get(preset, self.default)


def on_both(status: ThebaseStatus) -> Mapping[str, ThebaseStatus]:
    """Dialect A's status, the same for a start and a stop."""
    return {"start": status, "stop": status}


def everywhere(message: str) -> Mapping[str, str]:
    """Dialect B's message, the same for all verbs."""
    return dict.fromkeys(ZOHO_FAILED, message)


def by_verb(*, start: str, pause: str, resume: str) -> Mapping[str, str]:
    """Dialect B's messages of a rule that has its own for each press."""
    return {**ZOHO_FAILED, "start": start, "pause": pause, "resume": resume}
