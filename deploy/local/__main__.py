"""What the Makefile calls: run, up, down, reset, status, logs."""

import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import IO

from deploy.local import leftovers, welcome
from deploy.local.identity import Identity
from deploy.local.interrupts import Ended, ending_on_signals
from deploy.local.lock import Lock
from deploy.local.settings import Settings
from deploy.local.supervisor import Supervisor, ready_note
from deploy.local.trouble import Trouble

PAUSE_SECONDS = 0.05
DOWN_WITHIN_SECONDS = 90.0
LINES_SHOWN = "40"
# Errors about a disk or a folder, which the user can mend. Any other OSError is a bug and shows its traceback.
USERS_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
# What `reset` deletes, by name: a STINT_HOME that points at a user's home folder must cost nothing.
DATA = ("demo.env", "kafka", "logs", "postgres", "postgres.new", "run", "secrets", "stint.env")


def run(settings: Settings) -> None:
    """Run in the foreground until Ctrl-C."""
    with ending_on_signals():
        try:
            Supervisor(settings).run()
        except Ended:
            print("Everything is ended; data stays.", flush=True)


def up(settings: Settings) -> None:
    """Run detached, and return when all is ready."""
    if _lock(settings).holder() and ready_note(settings).exists():
        print("It is up already.", welcome.text(settings.as_it_runs(), detached=True), sep="\n")
        return
    settings.logs.mkdir(parents=True, exist_ok=True)
    log = settings.logs / "supervisor.log"
    with log.open("ab") as out, log.open("rb") as printed:
        printed.seek(0, os.SEEK_END)
        child = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run"],
            env={**os.environ, "STINT_DETACHED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with ending_on_signals():
            try:
                _follow(child, printed, settings)
            except BaseException:
                child.terminate()
                child.wait()
                raise


def _follow(child: subprocess.Popen[bytes], printed: IO[bytes], settings: Settings) -> None:
    """Print what the detached run prints, until that run is ready or has failed."""
    ready = ended = False
    while not (ready or ended):
        # Both are read before the log, so that every line printed before the end or the note is shown.
        note = Identity.read(ready_note(settings))
        ended, ready = child.poll() is not None, note is not None and note.pid == child.pid
        time.sleep(PAUSE_SECONDS)
        sys.stdout.write(printed.read().decode(errors="replace"))
        sys.stdout.flush()
    if ended:
        raise SystemExit(child.returncode or 1)


def down(settings: Settings) -> None:
    """End everything in this folder, also what another shell started, and return when no process is left."""
    lock = _lock(settings)
    holder = lock.holder()
    supervisor = Identity.of(holder) if holder else None
    if supervisor is not None:
        print(f"Ending the run in {settings.home} (pid {holder}).", flush=True)
        supervisor.signal(signal.SIGTERM)
        _wait_for_end(supervisor)
    lock.take()
    try:
        ended = leftovers.end_all(settings)
    finally:
        lock.release()
    print(f"Ended what a crashed run had left: {', '.join(ended)}." if ended else "Nothing runs any more; data stays.")


def _wait_for_end(process: Identity) -> None:
    until = time.monotonic() + DOWN_WITHIN_SECONDS
    while process.alive:
        if time.monotonic() > until:
            process.signal(signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)


def reset(settings: Settings) -> None:
    """Delete all data of this folder, after asking."""
    if not os.environ.get("YES"):
        if not sys.stdin.isatty():
            raise Trouble("reset deletes all data, and cannot ask without a terminal: run `make reset YES=1`.")
        if input(f"Delete all data in {settings.home}? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise Trouble("Nothing was deleted.")
    lock = _lock(settings)
    lock.take()
    leftovers.end_all(settings)
    for name in DATA:
        path = settings.home / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    lock.release()
    print(f"All data in {settings.home} is gone.")


def status(settings: Settings) -> None:
    """Print what runs, on which port, and where its log is."""
    alive = leftovers.found(settings)
    holder = _lock(settings).holder()
    settings = settings.as_it_runs() if holder is not None else settings
    ports = {
        "command_api": settings.http_port,
        "projector": settings.projector_port,
        "feed": settings.feed_port,
        "kafka": settings.kafka_port,
        "postgres": settings.postgres_port,
    }
    for name, port in ports.items():
        state = f"runs, pid {alive[name].pid}, port {port}" if name in alive else "does not run"
        print(f"{name:12} {state:32} {settings.logs / name}.log")
    if holder is None and alive:
        print("Their supervisor is gone: `make down` ends them, `make up` starts anew.")
    elif holder is None:
        print("Nothing runs here: `make up` starts all of it, `make run` does so in the foreground.")
    else:
        print(
            f"{'Ready' if ready_note(settings).exists() else 'Not ready yet'}: {settings.url} (supervisor pid {holder})"
        )


def logs(settings: Settings) -> None:
    """Show the last lines of every log, and follow the logs."""
    files = sorted(str(path) for path in settings.logs.glob("*.log"))
    if not files:
        raise Trouble(f"There are no logs in {settings.logs}: nothing has run here yet.")
    os.execvp("tail", ["tail", "-n", LINES_SHOWN, "-F", *files])  # noqa: S606, S607


def _lock(settings: Settings) -> Lock:
    return Lock(settings.run / "stack.lock")


COMMANDS = {each.__name__: each for each in (run, up, down, reset, status, logs)}


def main() -> int:
    """Run one command and return its status. A `Trouble` is one line on the terminal, and status 1."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    try:
        COMMANDS[parser.parse_args().command](Settings.from_environment())
    except Trouble as trouble:
        print(f"stint: {trouble}", file=sys.stderr, flush=True)
        return 1
    except BrokenPipeError:
        return 0  # `make status | head`: head has ended
    except OSError as error:
        if error.errno not in USERS_ERRORS:
            raise
        print(
            f"stint: {error.strerror}: {error.filename or 'the disk'}: make it writable.", file=sys.stderr, flush=True
        )
        return 1
    except (KeyboardInterrupt, Ended):
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
