"""docs/openapi.json, from the code: `make pages` writes it anew. The API serves the same bytes.

The calls are told in services/command_api/openapi/operations. A test compares the file with them.
"""

import sys
from pathlib import Path
from typing import Final

from services.command_api.openapi.document import document_text

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


if __name__ == "__main__":
    PAGE.write_text(document_text(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is as the code says.\n")
