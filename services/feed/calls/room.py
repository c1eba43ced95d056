"""Room: how many readers there may be at one time. A reader costs buffers, and a tenant must not take all of them."""

from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """Counts readers."""

    def __init__(self, readers_max: int, of_tenant_max: int) -> None:
        self.readers = 0
        self.of_tenant_max = of_tenant_max
        self._readers_max = readers_max
        self._of_tenant: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether no reader more may come in."""
        return self.readers >= self._readers_max

    def is_full_for(self, tenant: str) -> bool:
        """Whether no reader more of this tenant may come in."""
        return self._of_tenant.get(tenant, 0) >= self.of_tenant_max

    @contextmanager
    def reader(self, tenant: str) -> Iterator[None]:
        """Count one reader for as long as the `with` lasts."""
        self.readers += 1
        self._of_tenant[tenant] = self._of_tenant.get(tenant, 0) + 1
        try:
            yield
        finally:
            self.readers -= 1
            self._of_tenant[tenant] -= 1
            if not self._of_tenant[tenant]:
                del self._of_tenant[tenant]
