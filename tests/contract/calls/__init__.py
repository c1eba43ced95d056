"""Every call of the OpenAPI document as a request, for `test_transports`.

    place       where a call stands: a fresh person, an admin, a tenant with a policy to change
    published   dialects A and B
    presses     dialect C: start, pause, resume, stop, and what became of a press
    reads       dialect C: lists, reports, and the change feed
    office      dialect C: what an admin states about an owner, and the tenant's policy

A call prepares what it needs for a person of its own, so that only ids, moments and positions differ between two of
its answers. Safe to change: add a call, with the `operationId` of the document that it makes. A test fails while an
operation has no call.
"""

from collections.abc import Mapping
from typing import Final

from tests.contract.calls import office, presses, published, reads
from tests.contract.calls.place import Call

CALLS: Final[Mapping[str, Call]] = {**published.CALLS, **presses.CALLS, **reads.CALLS, **office.CALLS}
