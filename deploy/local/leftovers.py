"""What a run that was killed left behind: processes that are still written down, ended in the right order."""

import signal

from deploy.local import orphans
from deploy.local.identity import Identity
from deploy.local.process import end
from deploy.local.settings import Settings

# Who needs the others goes first; Postgres asked with SIGINT ends its sessions too. Services share this order by name.
LAST = ("kafka", "postgres")
ASK = {"postgres": signal.SIGINT}
WITHIN_SECONDS = 20.0


def found(settings: Settings) -> dict[str, Identity]:
    """Return who is written down and still alive, by name, in the order of their ending."""
    who = {path.stem: Identity.read(path) for path in sorted(settings.run.glob("*.pid"))}
    alive = {name: identity for name, identity in who.items() if identity and identity.alive}
    return dict(sorted(alive.items(), key=lambda item: LAST.index(item[0]) if item[0] in LAST else -1))


def end_all(settings: Settings) -> list[str]:
    """End everybody found, remove what is written about the dead, and return the names of those who lived."""
    ended = found(settings)
    # Found first of all: afterwards, a new run may have a server of its own in that folder.
    servers = orphans.working_in(settings.postgres_data)
    for name, identity in ended.items():
        end(identity, ASK.get(name, signal.SIGTERM), WITHIN_SECONDS)
    orphans.end_orphans(servers)
    for path in settings.run.glob("*.pid"):
        now = Identity.read(path)
        # Somebody may have started anew meanwhile: what is alive now is not ours to forget.
        if now is None or not now.alive:
            path.unlink(missing_ok=True)
    return list(ended)
