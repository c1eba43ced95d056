"""docs/asyncapi.json, from the code: `make pages` writes it anew. The API serves the same bytes.

The document is told in services/command_api/openapi/asyncapi.py. A test compares the file with it.
"""

import sys
from pathlib import Path
from typing import Final

from services.command_api.openapi.asyncapi import asyncapi_text

FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.json"


if __name__ == "__main__":
    FILE.write_text(asyncapi_text(), encoding="utf-8")
    sys.stdout.write(f"{FILE} is as the code says.\n")
