"""Every query of a service, by the name of its file, and a commit that writes into every table."""

from pathlib import Path
from uuid import UUID

from deploy.local.settings import ROOT
from services.projector.domain.outcomes import Kept
from services.projector.ports import Advance, Checkpoint
from services.projector.store.rows import Columns, rows_of
from shared.events.models import OwnerProfileSet
from shared.events.outcome import write_outcome
from shared.events.value import replace
from tests.support.story.given import fact, given, moment, started, stopped


def files(service: str) -> dict[str, Path]:
    return {path.stem: path for path in sorted((ROOT / "services" / service).rglob("*.sql"))}


def writes_of_a_commit() -> dict[str, Columns]:
    """Return what a commit writes into each table: these queries are run by the names in `Rows.writes`."""
    story = given(
        fact(OwnerProfileSet, at="08:00", zone="Asia/Jerusalem"),
        started("desk", at="09:00", account_id="A-1", job_id="J-1"),
        started("phone", at="09:10"),
        stopped("desk", at="09:30"),
    )
    outcomes = [*story.outcomes, replace(story.outcome, verdict="unreadable", reason="no event")]
    to = Checkpoint(3, len(outcomes), UUID(int=1), moment("09:30"), 1)
    return dict(rows_of([Advance(0, to, [Kept(one, write_outcome(one)) for one in outcomes])]).writes())
