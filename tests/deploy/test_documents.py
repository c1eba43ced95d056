"""The pages of the repository point to things that exist: every link, every heading, every named test."""

import re
from itertools import chain
from pathlib import Path

import pytest

from deploy.local.settings import ROOT

PAGES = sorted(
    chain(
        ROOT.glob("*.md"),
        (ROOT / "docs").rglob("*.md"),
        (ROOT / "tests").glob("*.md"),
        *((ROOT / folder).rglob("*.md") for folder in ("examples", "packages")),
    ),
    key=lambda path: path.relative_to(ROOT).as_posix(),
)
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> str:
    return _FENCED.sub("", path.read_text(encoding="utf-8"))


def headings(path: Path) -> set[str]:
    """Return a page's headings as links write them."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for target, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)", prose(page)):
        path = page.parent / target if target else page
        assert path.exists(), target
        assert not heading or heading in headings(path), f"{target}#{heading}"


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    """The control."""
    page = tmp_path / "page.md"
    page.write_text("# Here\n\n[there](#there) and [here](#here)\n")
    with pytest.raises(AssertionError, match="#there"):
        test_every_link_leads_to_a_page_and_a_heading(page)


def test_every_decision_is_in_the_index_under_its_title() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for path in DECISIONS:
        number, _, title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").partition(". ")
        assert f"| [{number}]({path.name}) | {title.rpartition(' (')[0]} |" in index


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    files = list((ROOT / "tests").rglob("test_*.py"))
    there = {path.stem for path in files}
    for path in files:
        there.update(re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8")))
    assert set(re.findall(r"`(test_\w+)`", prose(page))) <= there


def test_the_contract_has_its_ten_sections() -> None:
    """Docstrings cite the sections by number."""
    found = re.findall(r"^## §(\d+)\. ", prose(ROOT / "docs" / "contract.md"), re.MULTILINE)
    assert found == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    """Rooms are renamed, and a page that sends a newcomer to the wrong one is worse than none."""
    if page.name == "CHANGELOG.md":
        return  # it tells of the past
    paths = set(re.findall(r"`((?:services|shared|deploy|tests|docs)/[\w./-]+)`", prose(page)))
    assert {path for path in paths if not (ROOT / path).exists()} == set()
