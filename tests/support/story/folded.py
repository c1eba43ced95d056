"""Folded: a log taken through the product's fold in one go, from nothing."""

from collections.abc import Iterable

from services.projector.domain.fold import Folded, fold_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Ledger
from shared.events.policies.book import PolicyBook
from tests.support.story.documents import Revisions
from tests.support.story.given import book_of, new_ledger
from tests.support.story.histories import DOCUMENTS, Entry


def folded(log: Iterable[Entry], under: Revisions = DOCUMENTS) -> tuple[Ledger, list[Folded]]:
    """Fold a log under policies that come one after the other."""
    return folded_by(log, book_of(*under))


def folded_by(log: Iterable[Entry], book: PolicyBook) -> tuple[Ledger, list[Folded]]:
    """Fold a log by a book of policies."""
    ledger = new_ledger()
    return ledger, [fold_entry(ledger, entry, book) for entry in log]


def kept_of(came: Iterable[Folded]) -> list[Kept]:
    """Return what was kept, without repeats and void presses."""
    return [one for one in came if isinstance(one, Kept)]
