"""Parameters in a query string or a urlencoded form: dialect B's calls, and the reports of C."""

from collections import Counter
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from shared.events.base import is_writable

FIELDS_MAX: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"

_Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request; an empty one counts as not given.

    `given`: those that are given exactly once and can be read. `named`: the names of all, also of one given twice.
    `clear`: whether `given` is all. Else something is given twice, not UTF-8, beyond `FIELDS_MAX` or of two content
    types, and its meaning would be a guess.
    """

    given: dict[str, str]
    named: frozenset[str]
    clear: bool


async def parameters(request: Request) -> Parameters:
    """Return the parameters of query and form together. A body that is not a form is read but ignored."""
    # Read in any case, because an unread body costs the caller its connection.
    body = await request.body()
    kinds = _kinds(request) if request.method == "POST" else set()
    if len(kinds) > 1:
        return _read(request.scope["query_string"], clear=False)
    return _read(request.scope["query_string"], body if kinds == {_FORM} else b"")


def query_parameters(request: Request) -> Parameters:
    """Return the parameters of the query alone, without reading the body."""
    return _read(request.scope["query_string"])


def _read(*encoded: bytes, clear: bool = True) -> Parameters:
    found: _Pairs = []
    for part in encoded:
        pairs = _pairs(part)
        if pairs is None:
            clear = False
        else:
            found += pairs
    times = Counter(name for name, _ in found)
    given = {name: value for name, value in found if times[name] == 1 and is_writable(name) and is_writable(value)}
    return Parameters(given, frozenset(times), clear and len(given) == len(found))


def _kinds(request: Request) -> set[str]:
    return {kind.partition(";")[0].strip().lower() for kind in request.headers.getlist("content-type")}


def _pairs(encoded: bytes) -> _Pairs | None:
    """Return names and values; None: there are too many. What is not UTF-8 comes with lone surrogates in it."""
    try:
        return parse_qsl(encoded.decode(errors="surrogateescape"), errors="surrogateescape", max_num_fields=FIELDS_MAX)
    except ValueError:
        return None
