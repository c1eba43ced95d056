"""make bench-profile: where API and projector spend their time under 64 clients, by package and by function of ours.

py-spy looks into both processes from outside, some hundred times a second. A sample counts for the function that runs
(self), and for each function that waits for it (cumulative).
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.console import ending
from bench.load import wrk
from bench.load.wrk import Load, press
from bench.report.stacks import Profile, read_stacks, shares_of
from bench.rig.product import Product, product
from deploy.local.process import Process
from deploy.local.settings import ROOT
from deploy.local.trouble import Trouble

CLIENTS: Final = 64
_SAMPLES_PER_SECOND: Final = 250
# The load begins before the first look, and ends after the last one.
_MARGIN_SECONDS: Final = 3


def main() -> int:
    """Print the tables, and return the status."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="how long is looked (30)")
    parser.add_argument("--warm-up", type=int, default=30, help="seconds of load before that (30)")
    arguments = parser.parse_args()
    return ending(lambda: _profile(arguments.seconds, arguments.warm_up))


def _profile(seconds: int, warm_up: int) -> int:
    wrk.require()
    with product() as ours:
        print(f"warming up, {warm_up} s", flush=True)
        press(ours.target, Load(CLIENTS, warm_up), "warm")
        print(f"looking, {seconds} s", flush=True)
        looks = {name: _look(process, seconds, ours) for name, process in _watched(ours).items()}
        told = press(ours.target, Load(CLIENTS, seconds + _MARGIN_SECONDS), "profile")
        profiles = {name: _taken(look, path) for name, (look, path) in looks.items()}
    print(f"{told.cycles_per_second:,.0f} cycles/s while py-spy looked, {told.errors} errors")
    for name, profile in profiles.items():
        print(f"\n## {name}\n\n{shares_of(profile)}")
    return int(told.errors > 0)


def _watched(ours: Product) -> dict[str, Process]:
    return {"API": ours.api, "projector": ours.projector}


def _look(process: Process, seconds: int, ours: Product) -> tuple[subprocess.Popen[str], Path]:
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if spy is None:
        raise Trouble("py-spy is not installed: run `make install`.")
    path = ours.stack.settings.home / f"{process.name}.stacks"
    options = ("--rate", str(_SAMPLES_PER_SECOND), "--duration", str(seconds), "--full-filenames", "--nonblocking")
    look = subprocess.Popen(
        [spy, "record", "--pid", str(process.pid), "--format", "raw", "--output", str(path), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return look, path


def _taken(look: subprocess.Popen[str], path: Path) -> Profile:
    output, _ = look.communicate()
    if look.returncode or not path.exists():
        lines = output.strip().splitlines() or ["it said nothing"]
        raise Trouble(f"py-spy could not look: {lines[-1]} (It must run as root, or as the parent of the process.)")
    return read_stacks(path.read_text(encoding="utf-8"), ROOT)


if __name__ == "__main__":
    sys.exit(main())
