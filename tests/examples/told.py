"""What a README says that its program prints, to compare with what it printed."""

import re
from pathlib import Path
from typing import Final

from deploy.local.settings import ROOT

EXAMPLES: Final = ROOT / "examples"
_PRINTED: Final = re.compile(r"```text\n(.*?)```", re.DOTALL)


def told_by(folder: Path) -> list[str]:
    """Return the lines of the first such block in an example's README, without their numbers."""
    block, *_ = _PRINTED.findall((folder / "README.md").read_text(encoding="utf-8"))
    return loosely(block.splitlines())


def loosely(lines: list[str]) -> list[str]:
    """Return lines with `#` for each number: times, ids and sums differ from run to run."""
    return [re.sub(r"\d+(?:[.:]\d+)*", "#", line) for line in lines]
