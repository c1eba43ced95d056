"""The queries of the operator's commands."""

from pathlib import Path
from typing import Final

from shared.sql import Queries

query: Final = Queries(Path(__file__).parent)
