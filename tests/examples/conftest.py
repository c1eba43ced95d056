"""The wheel that the examples read records with."""

from pathlib import Path

import pytest

from tests.support.stack.outside import wheel_in


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel `stint-events` once."""
    return wheel_in(tmp_path_factory.mktemp("wheel"))
