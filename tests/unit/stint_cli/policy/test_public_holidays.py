"""Public holidays: dates are copied into the document, and what it has already stays."""

from datetime import date
from typing import Any

import pytest

from services.stint_cli.policy.public_holidays import CountryYear, public_holidays, with_holidays
from services.stint_cli.trouble import Trouble
from shared.events.policies.document import Unfit, read_proposal

IL = CountryYear("IL", 2026)
PESACH = date(2026, 4, 2)


def test_the_holidays_of_a_year_are_explicit_dates_in_their_order() -> None:
    said = with_holidays({"preset": "native", "zone": "Asia/Jerusalem"}, IL)
    days = [holiday["day"] for holiday in said["holidays"]]
    assert {"2026-04-02", "2026-09-12", "2026-09-21"} <= set(days)
    assert days == sorted(set(days))
    assert all(day.startswith("2026-") for day in days)
    assert said["preset"] == "native"
    assert not isinstance(read_proposal(said), Unfit)


def test_a_second_year_is_added_and_a_second_run_changes_nothing() -> None:
    once = with_holidays({}, IL)
    twice = with_holidays(once, CountryYear("IL", 2027))
    assert {day["day"][:4] for day in twice["holidays"]} == {"2026", "2027"}
    assert with_holidays(twice, IL) == twice


def test_a_day_that_the_document_has_keeps_its_name() -> None:
    own: dict[str, Any] = {"holidays": [{"day": "2026-12-31", "name": "ours"}, {"day": "2026-04-02"}]}
    days = {holiday["day"]: holiday for holiday in with_holidays(own, IL)["holidays"]}
    assert days["2026-12-31"] == {"day": "2026-12-31", "name": "ours"}
    assert days["2026-04-02"] == {"day": "2026-04-02"}


@pytest.mark.parametrize("terminal", ["C", "he_IL.UTF-8", "en_US.UTF-8"])
def test_the_names_do_not_follow_the_terminals_language(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two operators would otherwise make two documents of one calendar."""
    monkeypatch.setenv("LANGUAGE", terminal)
    monkeypatch.setenv("LANG", terminal)
    assert public_holidays(IL)[PESACH] == "פסח"
    assert public_holidays(CountryYear("IL", 2026, language="en_US"))[PESACH] == "Pesach"


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in public_holidays(CountryYear("DE", 2026, subdivision="BY"))
    assert epiphany not in public_holidays(CountryYear("DE", 2026))


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (CountryYear("XX", 2026), "Country XX not available"),
        (CountryYear("DE", 2026, subdivision="ZZ"), "does not have subdivision ZZ"),
        (CountryYear("IL", 2026, language="xx"), "exist in en_US, he, th, uk, not in xx: choose one with --language"),
        (CountryYear("IL", 1900), "No holidays are known for IL in 1900"),
    ],
)
def test_what_the_library_does_not_know_is_said(wanted: CountryYear, why: str) -> None:
    with pytest.raises(Trouble, match=why):
        public_holidays(wanted)
