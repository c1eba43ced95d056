"""The queries of this room."""

from pathlib import Path
from typing import Final

from shared.sql import Queries

query: Final = Queries(Path(__file__).parent)
