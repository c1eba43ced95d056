"""Documents as people write them: what is wrong is told by the field's path and by what may stand there."""

from typing import Any

import pytest

from shared.events.policies.document import Proposal, Unfit, as_written, read_proposal
from shared.events.policy import Policy, Preset, Rules

GOOD = {"preset": "native", "zone": "Asia/Jerusalem"}
SECONDS = "may be a whole number from 1 to 31622400."
RULES = ", ".join(Rules.model_fields)


def sentence(said: object) -> str:
    read = read_proposal(said)
    assert isinstance(read, Unfit)
    return read.sentence


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"preset": "loud"}, "preset: may be native, thebase, zoho."),
        (
            {"zone": "Asia/Nowhere"},
            "zone: is no time zone that this release knows: it may be one such as Asia/Jerusalem.",
        ),
        ({"zone": "no zone"}, "zone: may be a zone such as Asia/Jerusalem."),
        ({"zone": 5}, "zone: may be a zone such as Asia/Jerusalem."),
        ({"timers_disabled": "yes"}, "timers_disabled: may be true or false."),
        ({"timers_disabled": 0}, "timers_disabled: may be true or false."),
        ({"weekend": {}}, "weekend: may be a list."),
        ({"weekend": [3]}, "weekend.0: may be an object with from, days."),
        ({"weekend": [{"from": "Friday", "days": "6"}]}, "weekend.0.from: is no day such as 2026-04-02."),
        ({"weekend": [{"days": "6"}]}, "weekend.0.from: is mandatory; may be a day such as 2026-04-02."),
        (
            {"weekend": [{"from": "2026-01-01", "days": "8"}]},
            'weekend.0.days: is no set of days such as "6,7" (1 = Sunday).',
        ),
        ({"holidays": [{"day": "2026-02-30"}]}, "holidays.0.day: may be a day such as 2026-04-02."),
        (
            {"holidays": [{"day": "2026-04-02"}, {"day": "2026-04-03", "name": 5}]},
            "holidays.1.name: may be a text.",
        ),
        (
            {"holidays": [{"day": "2026-04-02", "name": "a\x00"}]},
            "holidays.0.name: may be a text without U+0000 and without half of a surrogate pair.",
        ),
        ({"rules": []}, f"rules: may be an object with {RULES}."),
        ({"rules": {"R11": "off"}}, "rules.R11: may be an object with mode, billable_seconds_per_day."),
        ({"rules": {"R11": {"mode": "loud"}}}, "rules.R11.mode: may be off, flag, block, strict."),
        (
            {"rules": {"R13": {"mode": "strict"}}},
            "rules.R13.mode: may be allow, flag, pause_previous, stop_previous, block.",
        ),
        *(
            ({"rules": {"R16": {"auto_close_seconds": seconds}}}, f"rules.R16.auto_close_seconds: {SECONDS}")
            for seconds in (0, 31_622_401, -1, 1.5, 50_400.0, 1e99, "50400", True, 10**30)
        ),
    ],
)
def test_a_value_that_may_not_stand_there_is_told_by_its_path(said: dict[str, Any], told: str) -> None:
    assert sentence(GOOD | said) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"rulez": {}},
            f"rulez: is not known; a policy may be an object with {', '.join(Policy.model_fields)}.",
        ),
        ({"rules": {"R99": {}}}, f"rules.R99: is not known; rules may be an object with {RULES}."),
        ({"rules": {"R09": {"limit": 1}}}, "rules.R09.limit: is not known; rules.R09 may be an object with mode."),
    ],
)
def test_an_unknown_field_is_told_with_the_known_ones(said: dict[str, Any], told: str) -> None:
    assert sentence(GOOD | said) == told


def test_the_name_of_an_unknown_field_is_cut_short() -> None:
    assert sentence(GOOD | {"x" * 10_000: 1}).startswith(f"{'x' * 100}: is not known")


def test_a_missing_field_is_told_before_a_wrong_one() -> None:
    assert read_proposal({"preset": "loud"}) == Unfit(
        "zone: is mandatory; may be a zone such as Asia/Jerusalem. preset: may be native, thebase, zoho.",
        is_missing=True,
    )


def test_all_mistakes_are_told_at_once_each_by_its_path() -> None:
    """Whoever mends one and sends the document again should not hear of the next one only then.

    A number that is spelt as a text is one of them, although pydantic would read it.
    """
    wrong = {
        "preset": "loud",
        "zone": "Asia/Jerusalem",
        "holidays": [{"day": "Friday"}, {"day": "2026-04-02", "name": "a\x00"}],
        "rules": {"R11": {"mode": "loud", "billable_seconds_per_day": "28800"}, "R99": {}},
        "revision": 7,
        "replaces": -1,
    }
    told = [
        "revision: is added by GET. Leave it out, and say in replaces which revision you replace.",
        "replaces: may be a revision, or null for a tenant's first policy.",
        "preset: may be native, thebase, zoho.",
        "holidays.0.day: is no day such as 2026-04-02.",
        "rules.R11.mode: may be off, flag, block, strict.",
        f"rules.R99: is not known; rules may be an object with {RULES}.",
        f"rules.R11.billable_seconds_per_day: {SECONDS}",
        "holidays.1.name: may be a text without U+0000 and without half of a surrogate pair.",
    ]
    assert sentence(wrong) == " ".join(told)


def test_modes_that_two_rules_cannot_have_are_both_told() -> None:
    said = sentence(GOOD | {"rules": {"R16": {"mode": "block"}, "R17": {"mode": "strict"}}})
    assert said.split(". ") == [
        "rules.R16.mode cannot be block: it is one of off, flag",
        "rules.R17.mode cannot be strict: it is one of off, flag.",
    ]


def test_of_a_great_many_mistakes_the_first_are_told_and_the_rest_counted() -> None:
    """A body may have thousands, and no answer repeats one."""
    said = sentence(GOOD | {f"x{number:03}": 1 for number in range(300)})
    assert (said.count("is not known"), said.endswith("And 280 more.")) == (20, True)


def test_what_makes_a_document_unfit_is_told_as_the_policy_says() -> None:
    told = "rules.R16.auto_close_seconds must be set while R10, R11, R12 may refuse a pause."
    assert sentence(GOOD | {"preset": "zoho"}) == told


@pytest.mark.parametrize("added", ["revision", "set_by", "set_at"])
def test_what_a_get_adds_is_not_taken_back(added: str) -> None:
    """A GET's `replaces` names the revision before it, so that the answer, sent back, would always be too late."""
    told = f"{added}: is added by GET. Leave it out, and say in replaces which revision you replace."
    assert sentence(GOOD | {"replaces": 3, added: 4}) == told


@pytest.mark.parametrize("replaces", ["3", -1, True, 3.0, []])
def test_what_is_no_revision_is_not_replaced(replaces: object) -> None:
    told = "replaces: may be a revision, or null for a tenant's first policy."
    assert sentence(GOOD | {"replaces": replaces}) == told
    assert sentence([GOOD]) == "The policy may be an object."


def test_a_document_says_which_revision_it_replaces_or_does_not() -> None:
    policy = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")
    assert read_proposal(GOOD | {"replaces": 3}) == Proposal(policy, 3, says_replaces=True)
    assert read_proposal(GOOD | {"replaces": None}) == Proposal(policy, None, says_replaces=True)
    assert read_proposal(GOOD) == Proposal(policy, None, says_replaces=False)


def test_a_document_is_kept_as_its_author_wrote_it() -> None:
    said = GOOD | {"timers_disabled": False, "rules": {"R13": {"mode": "allow"}, "R14": None}}
    read = read_proposal(said)
    assert isinstance(read, Proposal)
    assert as_written(read.document) == said
