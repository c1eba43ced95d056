"""The operator's page agrees with the code: every setting, every alarm, every file that it points to."""

import re

import pytest

from deploy.local.settings import ROOT
from deploy.pages.alerts import CONDITIONS
from deploy.pages.settings import PAGE, settings_of, with_table
from services.command_api.settings import Settings as CommandApiSettings
from services.feed.settings import Settings as FeedSettings
from services.projector.settings import Settings as ProjectorSettings
from services.stint_cli.settings import DatabaseSettings, DemoSettings, DeploymentSettings, DoctorSettings
from shared.settings import KafkaSettings, PostgresSettings
from tests.deploy.alarms import alarms

EVERY_CLASS = (
    KafkaSettings,
    PostgresSettings,
    CommandApiSettings,
    ProjectorSettings,
    FeedSettings,
    DatabaseSettings,
    DeploymentSettings,
    DemoSettings,
    DoctorSettings,
)


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


def listed_alarms(page: str) -> list[str]:
    section = page.partition("\n## Alarms\n")[2]
    return re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)


def test_the_settings_are_as_the_code_says(page: str) -> None:
    """`make pages` writes them anew."""
    assert with_table(page) == page


def test_every_setting_says_what_it_is_for() -> None:
    silent = [setting.variable for setting in settings_of(EVERY_CLASS, "") if not setting.meaning]
    assert silent == []


def test_every_setting_of_every_program_is_on_the_page(page: str) -> None:
    shared = KafkaSettings.model_fields.keys() | PostgresSettings.model_fields.keys()
    for kind in (CommandApiSettings, ProjectorSettings, FeedSettings, DemoSettings, DoctorSettings):
        for name in kind.model_fields:
            prefix = "…_" if name in shared else kind.model_config["env_prefix"]
            assert f"`{prefix}{name}`".upper() in page


def test_every_alarm_is_on_the_page_and_no_other(page: str) -> None:
    assert sorted(listed_alarms(page)) == sorted(alarms())


def rows_under(page: str, heading: str) -> dict[str, str]:
    """Return the rest of each row of the tables under a heading, by the name in its first cell."""
    section = page.partition(f"\n{heading}\n")[2]
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", re.split(r"\n##+ ", section)[0], re.MULTILINE))


def test_each_alarm_is_found_by_its_name_and_read_by_itself(page: str) -> None:
    """At night nobody reads the row before. It may be a new one since: then "the same" is another alarm's advice."""
    rows = rows_under(page, "## Alarms")
    assert list(rows) == sorted(rows)
    leaning = [
        name for name, text in rows.items() if re.search(r"\| (The same|As above)\b|^The (same|failure)\b", text)
    ]
    assert leaning == []


def test_every_alert_on_numbers_says_what_to_do(page: str) -> None:
    assert list(rows_under(page, "### Alerts on numbers")) == sorted(condition.name for condition in CONDITIONS)


def test_alarms_are_found_wherever_code_logs_errors() -> None:
    """The control: an alarm under its own name, one that is passed on, one with a traceback."""
    assert {"log_went_back", "texts_feed_lost", "producer_not_started", "press_failed"} <= alarms().keys()


def test_every_target_of_the_page_exists(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page)
    targets += [f"../{path}" for path in re.findall(r"`((?:tests|services|deploy)/[\w./-]+\.\w+)`", page)]
    assert targets
    for target in targets:
        assert (ROOT / "docs" / target).exists(), target


def test_places_within_a_page_are_there(page: str) -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= headings
