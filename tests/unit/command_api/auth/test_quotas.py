"""Quotas of clients: a burst, then a rate, for each client by itself and within bounds."""

import pytest

from services.command_api.auth import buckets
from services.command_api.auth.quotas import ClientQuotas
from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import OverThreshold

CRM = Caller("acme", "crm", "machine")
OTHERS = (Caller("acme", "erp", "machine"), Caller("other", "crm", "machine"), Caller("acme", "person:dana", "person"))


class Wired:
    def __init__(self, burst: int = 3, per_second: float = 2.0) -> None:
        self.seconds = 0.0
        self.quotas = ClientQuotas(burst=burst, per_second=per_second, clock=lambda: self.seconds)

    def went_on(self, requests: int, caller: Caller = CRM) -> int:
        return sum(self.quotas.over(caller) is None for _ in range(requests))


def test_a_client_has_its_burst_and_then_its_rate() -> None:
    it = Wired()
    assert it.went_on(10) == 3
    it.seconds = 1.0
    assert it.went_on(10) == 2
    it.seconds = 1000.0
    assert it.went_on(10) == 3


@pytest.mark.parametrize(("per_second", "retry_after"), [(2.0, 1), (0.5, 2), (0.01, 100)])
def test_a_client_over_its_quota_hears_when_it_may_call_again(per_second: float, retry_after: int) -> None:
    it = Wired(burst=1, per_second=per_second)
    assert it.quotas.over(CRM) is None
    assert it.quotas.over(CRM) == OverThreshold(retry_after)
    it.seconds = retry_after
    assert it.quotas.over(CRM) is None  # the control


def test_refused_requests_do_not_lengthen_the_wait() -> None:
    it = Wired(burst=1, per_second=1.0)
    assert it.went_on(100) == 1
    it.seconds = 1.0
    assert it.went_on(1) == 1


def test_clients_do_not_take_from_one_another() -> None:
    it = Wired()
    assert it.went_on(10) == 3
    assert [it.went_on(10, other) for other in OTHERS] == [3, 3, 3]


def test_a_rate_of_zero_is_no_limit() -> None:
    assert Wired(per_second=0.0).went_on(10_000) == 10_000


def test_many_clients_are_counted_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "BUCKETS_MAX", 5)
    it = Wired()
    assert it.went_on(10) == 3
    for number in range(20):
        assert it.went_on(1, Caller("acme", f"client-{number}", "machine")) == 1
    assert it.quotas._buckets is not None
    assert len(it.quotas._buckets._left) == 5
    assert it.went_on(10) == 3  # dropped, and full again
