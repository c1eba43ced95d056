"""Laws: the control of a property. A law that no fault of the product breaks says nothing of the product."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import Phase, settings

# Puts a fault into the product for as long as the context lasts.
Fault = Callable[[], AbstractContextManager[Any]]


def assert_noticed(fault: Fault, held: Callable[[], None], within: int = 3000) -> None:
    """Check that a property fails by an assertion while there is a fault, within so many examples."""
    # Nothing is shrunk, because only the noticing counts.
    quickly = settings(phases=[Phase.generate], report_multiple_bugs=False, max_examples=within)
    with fault(), pytest.raises(AssertionError):
        quickly(held)()
