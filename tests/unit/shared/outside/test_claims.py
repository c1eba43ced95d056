"""Claims: which caller a believed token stands for, and which claims refuse it."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from shared.outside.claims import NO_END, Outsider, outsider_of
from shared.outside.trusted import Trust

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
AN_HOUR: Final = int((NOW + timedelta(hours=1)).timestamp())
CLAIMS: Final = {"sub": "crm", "exp": AN_HOUR}
ACME: Final = Trust(tenant="acme")
PEOPLE: Final = Trust(tenant="acme", person_claim="employee", role_claim="https://stint.example/role")


def caller(claims: dict[str, Any], trust: Trust = ACME) -> Outsider | None:
    return outsider_of(claims, trust, vouched_by="https://id.example", now=NOW)


def role_of(role: object, trust: Trust = PEOPLE) -> str | None:
    found = caller(CLAIMS | {"https://stint.example/role": role}, trust)
    return None if found is None else found.role


def test_a_token_without_a_person_or_a_role_is_a_machine_of_its_issuer() -> None:
    until = NOW + timedelta(hours=1)
    assert caller(CLAIMS) == Outsider("acme", "https://id.example#crm", "machine", None, until)
    assert caller({"client_id": "crm"}) == Outsider("acme", "https://id.example#crm", "machine", None, NO_END)


def test_a_person_goes_before_every_role() -> None:
    claims = CLAIMS | {"employee": "dana", "https://stint.example/role": "admin"}
    found = caller(claims, PEOPLE)
    assert found is not None
    assert (found.client, found.role, found.person) == ("person:dana", "person", "dana")


@pytest.mark.parametrize(
    "person", ["", None, 7, ["dana"], {"name": "dana"}, True, "d" * 129, "da\x00na", "da\nna", "\ud800"]
)
def test_a_person_that_does_not_read_is_refused_and_no_machine(person: object) -> None:
    assert caller(CLAIMS | {"employee": person}, PEOPLE) is None
    control = caller(CLAIMS, PEOPLE)
    assert control is not None
    assert control.role == "machine"


def test_the_role_is_the_claims_then_the_settings_then_machine() -> None:
    reads = PEOPLE.model_copy(update={"role": "reader"})
    assert role_of("admin", reads) == "admin"
    assert role_of(["offline_access", "admin"], reads) == "admin"
    assert role_of(None, reads) == "reader"
    assert role_of(None) == "machine"


@pytest.mark.parametrize(
    "role", ["system", "root", "", "Admin", 1, {}, [], ["offline_access"], ["admin", "reader"], "person", ["person"]]
)
def test_a_role_that_is_not_one_of_ours_is_refused(role: object) -> None:
    """Among them `person`: nobody says which."""
    assert role_of(role) is None
    assert role_of("reader") == "reader"  # the control


def test_no_claim_makes_an_admin_unless_the_setting_names_it() -> None:
    found = caller(CLAIMS | {"role": "admin", "roles": ["admin"], "scope": "admin"})
    assert found is not None
    assert found.role == "machine"
    trusted = caller(CLAIMS, Trust(tenant="acme", role="admin"))
    assert trusted is not None
    assert trusted.role == "admin"


def test_where_only_persons_are_trusted_a_token_without_one_is_refused() -> None:
    persons = Trust(tenant="acme", person_claim="employee", role="person")
    assert caller(CLAIMS, persons) is None
    found = caller(CLAIMS | {"employee": "dana"}, persons)
    assert found is not None
    assert found.person == "dana"


@pytest.mark.parametrize("tenant", [None, "", "ac/me", "t" * 65, 7, ["acme"], "acme\n", "\ud800"])
def test_a_claim_that_is_no_tenants_name_is_refused(tenant: object) -> None:
    named = Trust(tenant_claim="org")
    assert caller(CLAIMS | {"org": tenant}, named) is None
    control = caller(CLAIMS | {"org": "acme"}, named)
    assert control is not None
    assert control.tenant == "acme"


def test_a_claim_never_moves_a_token_to_another_tenant_than_the_settings() -> None:
    found = caller(CLAIMS | {"tenant": "other", "org": "other"})
    assert found is not None
    assert found.tenant == "acme"


@pytest.mark.parametrize("subject", [None, "", 7, "s" * 256, "a\x00b", "\udfff"])
def test_a_machine_without_a_plain_subject_is_refused(subject: object) -> None:
    assert caller(CLAIMS | {"sub": subject}) is None


@pytest.mark.parametrize(
    "end", [NOW.timestamp(), 0, -1, 1e300, 10**400, float("nan"), float("inf"), "soon", True, None, [1]]
)
def test_an_end_that_has_come_or_does_not_read_is_refused(end: object) -> None:
    assert caller(CLAIMS | {"exp": end}) is None
    assert caller(CLAIMS | {"exp": NOW.timestamp() + 0.5}) is not None  # the control


def test_a_token_may_be_used_a_minute_before_its_beginning_and_no_sooner() -> None:
    assert caller(CLAIMS | {"nbf": NOW.timestamp() + 60}) is not None
    assert caller(CLAIMS | {"nbf": NOW.timestamp() + 61}) is None
    assert caller(CLAIMS | {"nbf": "then"}) is None
