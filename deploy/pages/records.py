"""docs/schemas, from the models: `make pages` writes them. JSON Schema 2020-12, a file a type.

The types are told in services/command_api/openapi/records.py. A test compares the files with them.
"""

import json
import sys
from pathlib import Path
from typing import Final

from services.command_api.openapi.records import record_types

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def files() -> dict[str, str]:
    """Return the name and the text of each file, as they must be."""
    return {f"{one.name}.json": json.dumps(one.schema(), indent=1, ensure_ascii=False) + "\n" for one in record_types()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{FOLDER} is as the code says.\n")
