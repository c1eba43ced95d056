"""Words: what callers hear of each refusal, as docs/contract.md has it in its sections 3, 4 and 6.

All of it is copied from the contract by hand. If it came from the table of rules, no test of it could fail.
`None` is the contract's "-": that verb never hears that rule.
"""

from collections.abc import Iterator, Mapping
from typing import Final

# Dialect A: the status of a start and of a stop.
THEBASE: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "R01": (401, 401),
    "R02": (400, None),  # a stop needs only its id
    "R03": (400, 400),
    "R04": (400, None),
    "R05": (None, 404),
    "R06": (400, 404),
    "R07": (None, None),  # a start and a stop are legal in every state
    "R08": (400, None),
    "R09": (400, None),
    "R10": (400, None),
    "R11": (400, None),
    "R12": (400, None),
    "R13": (400, None),
    "R14": (400, None),
    "R15": (400, None),
    "R19": (400, 400),
    "R20": (400, None),
    "R22": (503, 503),
    "R23": (500, 500),
    "R24": (400, 400),
}

IN_START, IN_PAUSE, IN_RESUME = "Error in adding timelog", "Error in pausing the timer", "Error in restarting the timer"
CAP: Final = "Logged Hours is greater than maximum billable hours allowed per day"
ESTIMATE: Final = "Logged Hours is greater than Estimated hours"
ATTENDANCE: Final = "Cannot log time beyond attendance hours"
FUTURE, PAST = "Cannot log time for a Future Date", "Cannot log time for a Past Date"
TOKEN: Final = "The provided OAuth token is invalid"
OWN: Final = (IN_START, IN_PAUSE, IN_RESUME)

# Dialect B: the messages of start, pause and resume, the code, and the status.
ZOHO: Final[Mapping[str, tuple[tuple[str | None, str | None, str | None], int | str, int]]] = {
    "R01": ((TOKEN, TOKEN, TOKEN), "INVALID_OAUTHTOKEN", 401),
    "R02": ((IN_START, IN_PAUSE, None), 8000, 400),  # without timeLogId, a resume is a start
    "R03": (OWN, 8001, 400),
    "R04": ((IN_START, None, None), 8001, 400),
    "R05": ((None, IN_PAUSE, IN_RESUME), 8001, 400),
    "R06": (
        (
            "Logged-in user alone can start timer",
            "Error in pausing timer.Logged-in user alone can start timer",
            "Error in starting timer.Logged-in user alone can start timer",
        ),
        7038,
        400,
    ),
    "R07": ((None, IN_PAUSE, IN_RESUME), 8001, 400),
    "R08": (OWN, 8005, 400),
    "R09": (OWN, 8008, 400),
    "R10": ((ATTENDANCE, ATTENDANCE, ATTENDANCE), 8008, 400),
    "R11": (
        (
            f"Error in adding/modifying Timelog.{CAP}",
            f"Error in pausing the Timer.{CAP}",
            f"Error in restarting the Timer.{CAP}",
        ),
        8005,
        400,
    ),
    "R12": (
        (
            f"Error in adding/modifying Timelog.{ESTIMATE}",
            f"Error in pausing the Timer.{ESTIMATE}",
            f"Error in restarting the Timer.{ESTIMATE}",
        ),
        8005,
        400,
    ),
    "R13": ((IN_START, None, IN_RESUME), 8005, 400),
    "R14": ((FUTURE, FUTURE, FUTURE), 8001, 400),
    "R15": ((PAST, None, PAST), 8001, 400),
    "R19": (OWN, 7209, 429),
    "R20": (OWN, 8001, 400),
    "R22": (OWN, "SERVICE_UNAVAILABLE", 503),
    "R23": (OWN, "INTERNAL_SERVER_ERROR", 500),
    "R24": (OWN, 8001, 400),
}
TEXTS: Final[Mapping[int | str, str]] = {
    8000: "No parameter specified",
    8001: "Wrong value for parameter",
    8005: "Timer is disabled in Settings. Contact your Administrator",
    8008: "Cannot log time during Weekend/Holidays/Leave",
    7038: "Permission denied",
    7209: "API access blocked since threshold limit exceeded. Please try after some time",
    "INVALID_OAUTHTOKEN": TOKEN,
    "SERVICE_UNAVAILABLE": "Please try after some time",
    "INTERNAL_SERVER_ERROR": "Something went wrong on our side",
}

# Dialect C: the status and the rule's name, the same for all verbs.
NATIVE: Final[Mapping[str, tuple[int, str]]] = {
    "R01": (401, "token_unknown"),
    "R02": (400, "parameter_missing"),
    "R03": (400, "value_invalid"),
    "R04": (400, "text_too_long"),
    "R05": (404, "timer_unknown"),
    "R06": (403, "not_the_owner"),
    "R07": (409, "not_legal_now"),
    "R08": (422, "timers_disabled"),
    "R09": (422, "day_off"),
    "R10": (422, "outside_attendance"),
    "R11": (422, "over_daily_cap"),
    "R12": (422, "over_estimate"),
    "R13": (409, "overlap"),
    "R14": (422, "future_time"),
    "R15": (422, "past_time"),
    "R19": (429, "rate_limited"),
    "R20": (422, "owner_unknown"),
    "R22": (503, "expired"),
    "R23": (500, "internal"),
    "R24": (422, "key_reused"),
}

# The messages that the published page lists without a number, each with a press that hears it.
UNNUMBERED: Final = {
    "Error in pausing the timer": ("pause", "R07"),
    "Error in restarting the timer": ("resume", "R07"),
    "Cannot log time beyond attendance hours": ("resume", "R10"),
    "Error in starting timer.Logged-in user alone can start timer": ("resume", "R06"),
    "Error in pausing timer.Logged-in user alone can start timer": ("pause", "R06"),
    "Error in restarting the Timer.Logged Hours is greater than maximum billable hours allowed per day": (
        "resume",
        "R11",
    ),
    "Error in pausing the Timer.Logged Hours is greater than maximum billable hours allowed per day": ("pause", "R11"),
    "Error in restarting the Timer.Logged Hours is greater than Estimated hours": ("resume", "R12"),
    "Error in pausing the Timer.Logged Hours is greater than Estimated hours": ("pause", "R12"),
}


def zoho_cells() -> Iterator[tuple[str, str, str, int | str, int]]:
    for id_, (messages, code, status) in ZOHO.items():
        for verb, message in zip(("start", "pause", "resume"), messages, strict=True):
            if message is not None:
                yield id_, verb, message, code, status
