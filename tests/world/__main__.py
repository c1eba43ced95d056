"""One seed again: `python -m tests.world SEED [CRASH_POINT]`. Prints what happened, and what went wrong."""

import sys

from tests.world.plan import calm, plan_of
from tests.world.verdicts import CALM_PRESSES, examine


def main(seed: int, crash_at: int | None) -> int:
    """Tell one seed, and print what is wrong with it."""
    plan = plan_of(seed) if crash_at is None else calm(seed, CALM_PRESSES, crash_at)
    story, problems = examine(plan)
    said = [f"plan: {plan}", f"fired: {dict(story.fired)}", f"logged: {dict(story.alarms)}"]
    sys.stdout.write("\n".join([*said, *(problems or ["nothing is wrong"]), ""]))
    return len(problems)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None) > 0)
