"""The pages of the repository point to things that exist: every link, every heading, every named test."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from deploy.local.settings import ROOT
from services.command_api.openapi.document import OPERATIONS
from services.feed.calls.feed import PATH as FEED_PATH
from shared.events.topics import topics

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
# Every block of the first page by words of its own, and the test that runs it or compares it.
FIRST_PAGE = {
    "curl -sS": "test_the_session_on_the_first_screen_answers_as_it_says",
    '"intervals":': "test_the_session_on_the_first_screen_answers_as_it_says",
    "command API": "test_the_picture_of_the_first_page_shows_topics_and_paths_that_exist",
    "git clone": "test_the_lines_that_start_a_first_stack_do",
    ".venv/bin/stint": "test_the_commands_of_the_first_page_work_as_they_stand",
}
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


def amendments(status: str) -> dict[str, set[int]]:
    """Return which decisions a status says that its own amends, and by which it is amended."""
    found = {}
    for words in ("amends", "amended by"):
        named = re.search(rf"{words} (\d+(?:(?:, | and )\d+)*)", status)
        found[words] = set() if named is None else {int(number) for number in re.findall(r"\d+", named[1])}
    return found


def one_sided(statuses: Mapping[int, str]) -> set[tuple[int, int]]:
    """Return each decision that names another one as amended by it or amending it, with that one, which does not."""
    said = {number: amendments(status) for number, status in statuses.items()}
    forth = {(number, other) for number, named in said.items() for other in named["amends"]}
    back = {(other, number) for number, named in said.items() for other in named["amended by"]}
    return forth ^ back


def statuses_in_titles() -> dict[int, str]:
    titles = (path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for path in DECISIONS)
    return {int(title.partition(".")[0]): title.rpartition(" (")[2].removesuffix(")") for title in titles}


def test_a_decision_and_the_one_that_amends_it_name_each_other() -> None:
    """A reader of the older page must learn there that it is no longer all of the truth."""
    assert one_sided(statuses_in_titles()) == set()


def test_the_index_gives_each_decision_the_status_of_its_title() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d+)\]\([^)]+\) \|[^|]+\| ([^|]+) \|", index, re.MULTILINE)
    assert {int(number): status for number, status in rows} == statuses_in_titles()


def test_an_amendment_that_one_title_leaves_out_is_noticed() -> None:
    """The control."""
    whole = {1: "accepted, amended by 2 and 3", 2: "accepted, amends 1", 3: "accepted, amends 1, 7 and 9"}
    assert one_sided(whole) == {(3, 7), (3, 9)}
    assert one_sided({**whole, 7: "accepted, amended by 3", 9: "accepted, amended by 3"}) == set()


@cache
def named_tests() -> frozenset[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return frozenset(chain.from_iterable(re.findall(r"def (test_\w+)\(", path.read_text("utf-8")) for path in files))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    there = named_tests() | {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
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


@pytest.mark.parametrize("house", ["services/command_api", "services/projector", "services/feed", "shared"])
def test_every_room_is_on_the_map_of_its_house(house: str) -> None:
    """A newcomer finds each room and each module beside the rooms in `docs/architecture.md`, with its invariant."""
    rooms = prose(ROOT / "docs" / "architecture.md").partition("## Rooms")[2].partition("\n## ")[0]
    [its_own] = [part for part in rooms.split("\n**`") if part.startswith(f"{house}/`**")]
    on_the_map = {
        Path(name).stem for row in re.findall(r"^\| (.+?) \|", its_own, re.MULTILINE) for name in row.split("`")
    }
    inside = [path for path in (ROOT / house).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert {path.stem for path in inside if not path.stem.startswith("_")} - on_the_map == set()


def blocks_of_the_first_page() -> list[str]:
    return _FENCED.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def unclaimed(blocks: list[str]) -> list[str]:
    """Return the blocks that no test runs, or that two could mean."""
    return [block for block in blocks if sum(words in block for words in FIRST_PAGE) != 1]


def test_every_block_of_the_first_page_is_run_by_a_test() -> None:
    blocks = blocks_of_the_first_page()
    assert unclaimed(blocks) == []
    assert [words for words in FIRST_PAGE if not any(words in block for block in blocks)] == []
    assert set(FIRST_PAGE.values()) <= named_tests()


def test_a_new_block_without_a_test_is_noticed() -> None:
    """The control."""
    new = "```sh\nmake coffee\n```"
    assert unclaimed([*blocks_of_the_first_page(), new]) == [new]


def test_the_picture_of_the_first_page_shows_topics_and_paths_that_exist() -> None:
    (picture,) = [block for block in blocks_of_the_first_page() if "command API" in block]
    shown = set(re.findall(r"timer\.[a-z]+\.v\d", picture))
    assert len(shown) == 3
    assert shown <= {topic.name for topic in topics(12)}
    assert f"GET {FEED_PATH}" in picture
    paths = re.findall(r"(?<!\S)/[a-z0-9/]+", picture.replace(FEED_PATH, ""))
    assert len(paths) == 3
    assert [path for path in paths if not any(told.path.startswith(path) for told in OPERATIONS)] == []


def test_the_lines_that_start_a_first_stack_do(tmp_path: Path) -> None:
    """From a clone, `make` ends in the program that tests/faults/test_local_run.py brings up, kills and ends."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("these lines clone the repository, and this folder is no clone")
    (block,) = [block for block in blocks_of_the_first_page() if "git clone" in block]
    lines = block.removeprefix("```sh\n").removesuffix("```")
    assert lines.splitlines()[-1] == "make run"
    # Within another make, this one would say which folder it enters and leaves.
    dry = "make --no-print-directory --dry-run run"
    here = lines.replace("git clone …", f"git clone --quiet {ROOT}").replace("make run", dry)
    done = subprocess.run(["bash", "-euc", here], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "exec .venv/bin/python -m deploy.local run"
