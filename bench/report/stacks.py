"""Stacks that py-spy has seen, as shares: by package, and by function of ours."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.report.tables import drawn

_SHOWN: Final = 25
_FRAME: Final = re.compile(r"(?P<function>.*) \((?P<path>[^()]*?)(?::\d+)?\)")
_OURS: Final = ("services", "shared")
_IN_PACKAGES: Final = "site-packages/"


@dataclass(frozen=True, slots=True)
class Profile:
    """How many samples fell on what, of how many."""

    samples: int
    packages: Counter[str]
    own: Counter[str]
    cumulative: Counter[str]


def read_stacks(text: str, root: Path) -> Profile:
    """Read py-spy's raw format: a stack, outermost first, its frames between semicolons, and how often it was seen."""
    profile = Profile(0, Counter(), Counter(), Counter())
    samples = 0
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        # A line begins with the names of process and threads, which have no file.
        frames = [match for frame in stack.split(";") if (match := _FRAME.fullmatch(frame))]
        if not frames:
            continue
        times = int(count)
        samples += times
        places = [_place(match["path"], root) for match in frames]
        profile.packages[places[-1][0]] += times
        names = [
            f"{where}:{match['function']}" if package in _OURS else None
            for match, (package, where) in zip(frames, places, strict=True)
        ]
        if names[-1]:
            profile.own[names[-1]] += times
        for name in {each for each in names if each}:
            profile.cumulative[name] += times
    return Profile(samples, profile.packages, profile.own, profile.cumulative)


def _place(path: str, root: Path) -> tuple[str, str]:
    """Return the package of a file, and the file's name within it. Ours are packages by the first folder."""
    if _IN_PACKAGES in path:
        within = path.rpartition(_IN_PACKAGES)[2]
        return within.partition("/")[0].removesuffix(".py"), within
    if path.startswith(f"{root}/"):
        within = path.removeprefix(f"{root}/")
        return within.partition("/")[0], within
    return "standard library", path


def shares_of(profile: Profile) -> str:
    """Return three tables: packages by what they take themselves, and functions of ours by that and with all below."""
    packages: list[Sequence[str]] = [("package", "self")]
    packages += [
        (name, _share(count, profile)) for name, count in profile.packages.most_common() if _shows(count, profile)
    ]
    own: list[Sequence[str]] = [("function of ours", "self")]
    own += [(name, _share(count, profile)) for name, count in profile.own.most_common(_SHOWN)]
    cumulative: list[Sequence[str]] = [("function of ours", "cumulative", "self")]
    cumulative += [
        (name, _share(count, profile), _share(profile.own[name], profile))
        for name, count in profile.cumulative.most_common(_SHOWN)
    ]
    return "\n\n".join(map(drawn, (packages, own, cumulative)))


def _shows(count: int, profile: Profile) -> bool:
    return count * 200 >= profile.samples  # half a hundredth, which is printed as 1


def _share(count: int, profile: Profile) -> str:
    return f"{100 * count / max(profile.samples, 1):.1f} %"
