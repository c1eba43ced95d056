"""Client secrets and tokens: what is stored of them, and which are believed."""

import base64
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from shared.identity import (
    TokenClaims,
    hash_secret,
    is_signed,
    new_token,
    read_token,
    sign_token,
    token_sha256,
    verify_secret,
)

KEY = b"k" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIMS = TokenClaims("acme", "desk", "machine", NOW, NOW + timedelta(hours=1))


def test_a_hash_verifies_its_own_secret_alone() -> None:
    kept = hash_secret("open sesame")
    assert verify_secret("open sesame", kept)
    assert not verify_secret("open sesam", kept)
    assert not verify_secret("", kept)


def test_two_hashes_of_one_secret_differ() -> None:
    assert hash_secret("s") != hash_secret("s")


@pytest.mark.parametrize("kept", ["", "scrypt", "scrypt$x$8$1$AAAA$AAAA", "scrypt$3$8$1$AAAA$AAAA", "md5$1$1$1$a$a"])
def test_a_text_that_is_no_hash_of_ours_verifies_nothing(kept: str) -> None:
    assert not verify_secret("s", kept)


def test_a_signed_token_says_what_was_signed() -> None:
    token = sign_token(CLAIMS, KEY)
    assert is_signed(token)
    assert read_token(token, KEY, NOW) == CLAIMS


def test_a_token_is_invalid_from_the_second_of_its_expiry() -> None:
    token = sign_token(CLAIMS, KEY)
    assert read_token(token, KEY, CLAIMS.expires_at - timedelta(seconds=1)) == CLAIMS
    assert read_token(token, KEY, CLAIMS.expires_at) is None


def test_a_token_of_another_key_or_with_any_change_is_invalid() -> None:
    token = sign_token(CLAIMS, KEY)
    assert read_token(token, b"x" * 32, NOW) is None
    head, body, signature = token.split(".")
    assert read_token(f"{head}.{body[:-2]}AA.{signature}", KEY, NOW) is None
    assert read_token(f"{head}.{body}.", KEY, NOW) is None
    assert read_token("eyJ.eyJ.x", KEY, NOW) is None
    assert read_token("", KEY, NOW) is None


@pytest.mark.parametrize("change", [{"role": "king"}, {"exp": "soon"}, {"tenant": None}, {"exp": 10**30}])
def test_a_signed_token_with_claims_of_another_shape_is_invalid(change: dict[str, object]) -> None:
    payload = {"tenant": "acme", "client": "desk", "role": "machine", "iat": 0, "exp": 2**31} | change
    token = jwt.encode({"alg": "HS256"}, payload, OctKey.import_key(KEY))
    assert read_token(token, KEY, NOW) is None


def test_a_token_of_another_algorithm_is_invalid() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        payload = {"tenant": "acme", "client": "desk", "role": "machine", "iat": 0, "exp": 2**31}
        for algorithm in ("HS512", "none"):
            token = jwt.encode({"alg": algorithm}, payload, OctKey.import_key(KEY), algorithms=[algorithm])
            assert read_token(token, KEY, NOW) is None


def in_base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"HS256","crit":5}',
        '{"alg":"HS256","crit":true}',
        '{"alg":"HS256","crit":{}}',
        '{"alg":"HS256","crit":[[]]}',
        '{"alg":"HS256","crit":[{}]}',
        '{"alg":[]}',
        '{"alg":{}}',
        '{"alg":5,"kid":5,"typ":5,"jwk":5,"b64":false}',
        "5",
        "[]",
        '{"a":' + "[" * 2900,
        '{"a":' * 500 + "1" + "}" * 500,
    ],
)
def test_a_token_with_an_odd_header_is_invalid(header: str) -> None:
    """Anybody can write such a token, so it must not be taken for a failure of ours."""
    payload = sign_token(CLAIMS, KEY).split(".")[1]
    for claims in (payload, in_base64("{}"), in_base64("[" * 2000)):
        assert read_token(f"{in_base64(header)}.{claims}.AA", KEY, NOW) is None


def test_an_opaque_token_is_stored_as_its_hash() -> None:
    assert token_sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert not is_signed("1000.8cb99d.9b8")
    assert new_token() != new_token()
