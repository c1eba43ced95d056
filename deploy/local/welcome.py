"""The text that is printed when all is up: lines to paste into another shell."""

import os
import shlex
from pathlib import Path

from deploy.local.settings import Settings

TEXT = """
Stint is ready at {url}. Paste into another shell:

  . {demo_env}
  auth="Authorization: Bearer $STINT_TOKEN"; json="Content-Type: application/json"
  field() {{ python3 -c 'import json, sys; said = json.loads(sys.stdin.read() or "{{}}"); print(
    said[sys.argv[1]] if sys.argv[1] in said else sys.exit(said.get("detail", said or "no answer")))' "$1"; }}
  who="{{\\"owner\\": \\"$STINT_OWNER\\"}}"

  # our own dialect: start, pause, resume, stop, see it
  id=$(curl -sS "$STINT_URL/v1/timers" -H "$auth" -H "$json" -d "$who" | field id); echo "$id"
  curl -sS -X POST "$STINT_URL/v1/timers/$id/pause" -H "$auth"; echo
  curl -sS -X POST "$STINT_URL/v1/timers/$id/resume" -H "$auth"; echo
  curl -sS -X POST "$STINT_URL/v1/timers/$id/stop" -H "$auth"; echo
  curl -sS "$STINT_URL/v1/timers/$id" -H "$auth"; echo

  # the dialect of TheBase: start, see what is open, stop
  id=$(curl -sS "$STINT_URL/v2/timer/start" -H "$auth" -H "$json" -d "$who" | field id); echo "$id"
  curl -sS "$STINT_URL/v2/timer/open" -H "$auth"; echo
  curl -sS -X PUT "$STINT_URL/v2/timer/$id" -H "$auth"; echo

  # the change feed: every verdict of your tenant, one a line; the last line says where to go on
  curl -sS "{feed_url}/v1/feed?limit=3" -H "$auth"

{how_to_end}; what is recorded stays for the next start. Logs: {logs}
"""


def text(settings: Settings, *, detached: bool | None = None) -> str:
    """Return the address and the lines. Each line works as printed, in the folder in which it was printed.

    `detached`: whether the stack has no terminal whose Ctrl-C ends it. None: as STINT_DETACHED says.
    """
    if detached is None:
        detached = bool(os.environ.get("STINT_DETACHED"))
    return TEXT.format(
        url=settings.url,
        feed_url=settings.feed_url,
        demo_env=_shown(settings.demo_env),
        logs=_shown(settings.logs),
        how_to_end="`make down` ends everything" if detached else "Ctrl-C ends everything",
    )


def _shown(path: Path) -> str:
    here = Path.cwd()
    # The shell looks for `. name` without a slash in PATH.
    return shlex.quote(f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path))
