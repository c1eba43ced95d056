"""The local stack of this checkout: where it left the settings that its commands need."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.stint_cli.terminal.env_file import read_env

# In the folder of the stack, `STINT_HOME`. Written by `deploy.local` at each start.
SETTINGS_FILE: Final = "stint.env"

_ROOT: Final = Path(__file__).resolve().parents[3]
_PREFIX: Final = "STINT_CLI_"


def local_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the local stack; none when there is no stack, or the environment has settings itself."""
    # All or nothing: Kafka of one deployment and Postgres of another would be two halves of nothing.
    if any(name.startswith(_PREFIX) for name in environ):
        return {}
    home = Path(environ.get("STINT_HOME") or _ROOT / ".stint")
    return {name: value for name, value in read_env(home / SETTINGS_FILE).items() if name.startswith(_PREFIX)}
