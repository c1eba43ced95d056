"""docs/events.md agrees with the models: `make pages` writes it anew."""

import re
from typing import Literal

import pytest

from deploy.pages import events as events_page
from deploy.pages.events import PAGE, page
from shared.events import outcome
from shared.events.models import BODY_OF
from shared.events.topics import topics
from shared.events.value import value


def test_the_page_is_as_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_new_field_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with one field more, the test above would fail."""

    @value(kw_only=True)
    class Next(outcome.Outcome):
        heard_by: Literal["bell", "horn"] = "bell"

    before = page()
    monkeypatch.setattr(events_page, "Outcome", Next)
    assert '| `heard_by` | optional: `"bell"` | `bell`, `horn` |' in page()
    assert page() != before


def test_every_topic_and_every_event_has_its_place() -> None:
    told = PAGE.read_text(encoding="utf-8")
    for topic in topics(12):
        assert f"| `{topic.name}` |" in told
    for type_ in BODY_OF:
        assert f"### `{type_}`" in told


def test_fields_are_told_as_they_are_spelt_on_the_wire() -> None:
    """`from` cannot be a name in Python, and is the name in JSON."""
    assert "| `from` |" in page()
    assert "from_" not in page()


def test_links_within_the_page_lead_somewhere() -> None:
    told = page()
    headings = {title.lower().strip("`").replace(" ", "-") for title in re.findall(r"^#+ (.+)$", told, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", told)) <= headings
