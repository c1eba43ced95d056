"""Ten million timers are not begun on a disk that has no room for them."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.growth.__main__ import require_room
from deploy.local.trouble import Trouble


def test_a_disk_that_is_too_small_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50 * 2**30))
    require_room(tmp_path / "not" / "there yet", 1_000_000)
    with pytest.raises(Trouble, match=r"93 GiB and 50 GiB are free: .*TIMERS="):
        require_room(tmp_path, 10_000_000)
