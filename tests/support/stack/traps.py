"""Traps: projectors that die or freeze where a test says (`tests.support.stack.trapped_projector` is the program)."""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tests.support.stack import trapped_projector
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.holders import owner_with
from tests.support.stack.trapped_projector import SPRUNG, Place

_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Trapped:
    """A projector with a trap in it. The first stop of a `victim` springs it."""

    service: Service
    word: str

    async def victim(self, group: Collection[Service], deployment: Deployment, tenant: Tenant) -> str:
        """Return a fresh owner whose presses this projector folds, and whose first stop springs the trap."""
        return await owner_with(self.service, group, deployment, tenant, self.word)

    async def sprung(self) -> None:
        """Return when the trap has sprung."""
        await self.service.says(SPRUNG)

    async def frozen(self) -> None:
        """Return when the trap has frozen it."""
        await self.sprung()
        self.service.freeze()  # it is frozen already; this tells the crew


async def trapped(
    crew: Crew,
    place: Place,
    does: Literal["die", "freeze"],
    environ: Mapping[str, str] | None = None,
    *,
    fence: bool = True,
) -> Trapped:
    """Start a projector with a trap at `place`."""
    # Each trap has its own word. A projector that catches up also folds the victims of earlier tests.
    word = f"victim{next(_numbers)}x"
    trap = {"TRAP_PLACE": place, "TRAP_DOES": does, "TRAP_OWNER": word, "TRAP_FENCE": str(fence)}
    return Trapped(await crew.projector(trap | dict(environ or {}), trapped_projector.__name__), word)
