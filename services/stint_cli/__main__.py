"""The module behind the script `stint`: Ctrl-C ends it in one line, also while it imports for half a second."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 1 trouble, 2 a wrong command or settings, 130 after Ctrl-C."""
    try:
        # Here, because a person may press Ctrl-C before all of it is imported.
        from services.stint_cli.run import run  # noqa: PLC0415
    except KeyboardInterrupt:
        print("stint: interrupted. Nothing was done.", file=sys.stderr)
        return 130  # as a shell says it of a program that SIGINT ended
    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
