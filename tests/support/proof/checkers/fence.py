"""C15: the fence. Each checkpoint moves forward from where it was, and no batch is applied twice."""

from tests.support.proof.checkers.history import Evidence


def c15_fence(evidence: Evidence) -> list[str]:
    """C15: each partition's checkpoint history has no gap and only grows; a restored dump begins a new history."""
    wrong = []
    stands: dict[int, int] = {}
    for move in evidence.moves:
        at = stands.get(move.kpart, 0)
        if not move.restored and (move.read_at != at or move.to <= at):
            wrong.append(f"C15: partition {move.kpart} stood at {at} and moved from {move.read_at} to {move.to}")
        stands[move.kpart] = move.to
    if evidence.moves:
        now = {row["kpart"]: row["next_offset"] for row in evidence.rows("checkpoint")}
        wrong += [
            f"C15: partition {kpart} is at {at}, and was last moved to {stands.get(kpart)}"
            for kpart, at in now.items()
            if stands.get(kpart, 0) != at
        ]
    return wrong
