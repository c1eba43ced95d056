"""The naive fold's rules: `docs/contract.md` §6, one after the other, in the order in which they answer."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from tests.support.proof.naive.days import day_of, first_moment
from tests.support.proof.naive.outcome import Row
from tests.support.proof.naive.reading import TIMER_EVENTS, Said

REASONS: Final = {
    "R05": "timer_unknown",
    "R06": "not_the_owner",
    "R07": "not_legal_now",
    "R08": "timers_disabled",
    "R09": "day_off",
    "R10": "outside_attendance",
    "R11": "over_daily_cap",
    "R12": "over_estimate",
    "R13": "overlap",
    "R14": "future_time",
    "R15": "past_time",
    "R20": "owner_unknown",
}
_START, _PAUSE, _RESUME, _STOP = TIMER_EVENTS
_REFUSING: Final[Mapping[str, tuple[str, ...]]] = {
    "off": (),
    "flag": (),
    "block": (_START, _RESUME),
    "strict": (_START, _RESUME, _PAUSE),
}
_DEFAULTS: Final = {"R08": "block", "R14": "strict", "R15": "off", "R20": "off"}
_ZOHO: Final = {"R09": "block", "R10": "strict", "R11": "strict", "R12": "strict"}
_MINUTE: Final = timedelta(seconds=60)
_SECOND: Final = timedelta(seconds=1)
_TICK: Final = timedelta(milliseconds=1)
_US: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)

# The owner's other timers, each with its intervals.
Others = list[tuple[Row, list[Row]]]


def findings_of(
    press: Said, timer: Row | None, running: Row | None, others: Others, at: datetime, zone: str, policy: Row, who: Row
) -> Iterator[Row]:
    """Yield what each rule finds, in the order of answering. `who` is the owner's name, and the profile or None.

    The first that is refused is the answer; then none of the others count. `running` is the timer's open interval.
    """
    opens = press["kind"] in (_START, _RESUME)
    if press["actor"]["role"] == "person" and press["actor"]["person"] != who["owner"]:
        yield finding(press, "R06", at, refused=True)
    profile = who["profile"]
    if setting(policy, "R20") != "off" and (profile is None or profile.get("active") is False):
        yield lasting(press, policy, "R20", at, who["already"])
    state = None if timer is None else timer["state"]
    legal = {_START: True, _STOP: True, _PAUSE: state == "RUNNING", _RESUME: state == "PAUSED"}
    if not legal[press["kind"]]:
        yield finding(press, "R07", at, refused=True)
    yield from _future(press, at, zone, policy)
    yield from _past(press, running, at, zone, policy)
    disabled = policy.get("timers_disabled") or (profile or {}).get("timers_disabled")
    if disabled and setting(policy, "R08") != "off":
        yield lasting(press, policy, "R08", at, who["already"])
    yield from who["day"]
    if opens:
        yield from _overlap(press, others, at, policy)
    asked = press["asked_at"]
    if (
        asked is not None
        and setting(policy, "R18") != "off"
        and timer is not None
        and timer["last_at"] - asked > _SECOND
    ):
        yield finding(press, "R18", asked, timer["last_at"])


def labels_of(press: Said, policy: Row) -> set[str]:
    """Return the flags that are no rules."""
    labels = {"zone_assumed"} if press.get("zone_assumed") else set()
    asked = press["asked_at"]
    if asked is not None and setting(policy, "R18") != "off" and press["log_time"] - asked > _MINUTE:
        labels.add("late")
    return labels


def switched_to(policy: Row) -> str | None:
    """Return the state into which an owner's other timers go when one begins; None: they go on."""
    return {"pause_previous": "PAUSED", "stop_previous": "STOPPED"}.get(setting(policy, "R13"))


def locked_before(policy: Row) -> str | None:
    """Return the first day that is not locked, as text; None: no day is."""
    return None if setting(policy, "R15") == "off" else _rule(policy, "R15").get("locked_before")


def setting(policy: Row, rule: str) -> str:
    """Return the mode of a rule."""
    preset = _ZOHO.get(rule) if policy["preset"] == "zoho" else None
    return str(_rule(policy, rule).get("mode") or preset or _DEFAULTS.get(rule, "flag"))


def limit_of(policy: Row, rule: str, limit: str) -> int | None:
    """Return a limit of a rule, None when it is not set or the rule is off."""
    seconds: int | None = _rule(policy, rule).get(limit)
    return None if setting(policy, rule) == "off" else seconds


def by_mode(press: Said, policy: Row, rule: str, begins: datetime, ends: datetime | None = None) -> Row:
    """Return what a rule finds at a press, refused as its mode says."""
    return finding(press, rule, begins, ends, refused=press["kind"] in _REFUSING[setting(policy, rule)])


def lasting(press: Said, policy: Row, rule: str, at: datetime, already: Collection[str]) -> Row:
    """Return what a rule whose findings last finds at a press. One that is open already does not open again."""
    found = by_mode(press, policy, rule, at)
    if not found["refused"] and rule in already:
        found["open"] = True
    elif not found["refused"] and press["kind"] not in (_START, _RESUME):
        found |= {"to": at, "amount_us": 0}
    return found


def finding(press: Said, rule: str, begins: datetime, ends: datetime | None = None, *, refused: bool = False) -> Row:
    """Return a finding about the pressed timer."""
    amount = None if ends is None else (ends - begins) // _US
    row = {"timer_id": press["subject"], "rule": rule, "from": begins, "to": ends}
    return row | {"amount_us": amount, "refused": refused}


def _rule(policy: Row, rule: str) -> Row:
    return (policy.get("rules") or {}).get(rule) or {}


def _future(press: Said, at: datetime, zone: str, policy: Row) -> Iterator[Row]:
    """R14: the given time is in the future. By over a minute it is refused, unless the mode allows it; else noted."""
    asked, log_time = press["asked_at"], press["log_time"]
    if setting(policy, "R14") == "off":
        return
    if press.get("work_date") is not None and press["work_date"] > day_of(log_time + _MINUTE, zone):
        found = by_mode(press, policy, "R14", at)
        yield found if found["refused"] else found | {"to": at, "amount_us": 0}
    elif asked is not None and asked >= log_time + _TICK:
        found = by_mode(press, policy, "R14", log_time, asked)
        yield found | {"refused": found["refused"] and asked - log_time > _MINUTE}


def _past(press: Said, running: Row | None, at: datetime, zone: str, policy: Row) -> Iterator[Row]:
    """R15: begun before the limit or in the locked period, or said to be worked before; time added to locked days."""
    if setting(policy, "R15") == "off":
        return
    limit, locked = _rule(policy, "R15").get("max_backdate_seconds"), locked_before(policy)
    if press["kind"] in (_PAUSE, _STOP):
        if locked is not None and running is not None:
            # An end that is taken back had added the time between the two ends.
            begins, until = (at, running["was"]) if "was" in running else (running["start"], at)
            ends = min(_begin_of(locked, running["zone"]), until)
            if begins < ends:
                yield finding(press, "R15", begins, ends)
        return
    open_since = [press["log_time"] - timedelta(seconds=limit)] if limit is not None else []
    open_since += [_begin_of(locked, zone)] if locked is not None else []
    if not open_since:
        return
    first = max(open_since)
    if at < first or (press.get("work_date") is not None and press["work_date"] < day_of(first, zone)):
        yield by_mode(press, policy, "R15", at)


def _begin_of(day_text: str, zone: str) -> datetime:
    day = datetime.fromisoformat(day_text).date()
    while (begins := first_moment(day, zone)) is None:
        day += _DAY
    return begins


def _overlap(press: Said, others: Others, at: datetime, policy: Row) -> Iterator[Row]:
    mode = setting(policy, "R13")
    if mode == "allow":
        return
    if mode == "block" and any(timer["state"] == "RUNNING" for timer, _ in others):
        yield finding(press, "R13", at, refused=True)
    begins = [
        max(at, interval["start"])
        for _, intervals in others
        for interval in intervals
        if interval["end"] is None or (interval["end"] > at and interval["end"] > interval["start"])
    ]
    if begins:
        yield finding(press, "R13", min(begins))
