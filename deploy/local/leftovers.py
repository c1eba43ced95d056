"""Processes that a killed run left behind: found by their pid files, and ended in the right order."""

import signal

from deploy.local import orphans
from deploy.local.identity import Identity
from deploy.local.process import end
from deploy.local.settings import Settings

# Parts that need the others end first. SIGINT makes Postgres end its sessions too. Services share this order by name.
LAST = ("kafka", "postgres")
END_SIGNALS = {"postgres": signal.SIGINT}
WITHIN_SECONDS = 20.0


def found(settings: Settings) -> dict[str, Identity]:
    """Return the processes that have a pid file and still live, by name, in the order in which to end them."""
    noted = {path.stem: Identity.read(path) for path in sorted(settings.run.glob("*.pid"))}
    alive = {name: identity for name, identity in noted.items() if identity and identity.alive}
    first = [name for name in alive if name not in LAST]
    last = [name for name in LAST if name in alive]
    return {name: alive[name] for name in [*first, *last]}


def end_all(settings: Settings) -> list[str]:
    """End every process found, remove the files of dead ones, and return the names of those that lived."""
    ended = found(settings)
    # Found first, because later a new run may have a server of its own in that folder.
    servers = orphans.working_in(settings.postgres_data)
    for name, identity in ended.items():
        end(identity, END_SIGNALS.get(name, signal.SIGTERM), WITHIN_SECONDS)
    orphans.end_orphans(servers)
    for path in settings.run.glob("*.pid"):
        now = Identity.read(path)
        # A new run may have started meanwhile: keep the files of processes that live now.
        if now is None or not now.alive:
            path.unlink(missing_ok=True)
    return list(ended)
