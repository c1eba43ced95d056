"""Parameters in a query string or a urlencoded form: dialect B's calls, and the reports of C."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from services.command_api.dialects.values import is_writable

FIELDS_MAX: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"


class UnreadableParametersError(Exception):
    """They are not UTF-8, too many, of two content types, or one is given twice: their meaning is then a guess."""


async def parameters(request: Request) -> dict[str, str]:
    """Return the parameters of query and form together; an empty one counts as not given. Raises as above.

    A body that is not a form is read but ignored.
    """
    # Read in any case, because an unread body costs the caller its connection.
    body = await request.body()
    said = _pairs(request.scope["query_string"])
    if request.method == "POST" and _is_form(request):
        said += _pairs(body)
    return _once_each(said)


def query_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the query alone, without reading the body. Raises as above."""
    return _once_each(_pairs(request.scope["query_string"]))


def _once_each(said: list[tuple[str, str]]) -> dict[str, str]:
    read = dict(said)
    if len(read) != len(said):
        raise UnreadableParametersError
    return read


def _is_form(request: Request) -> bool:
    kinds = {kind.partition(";")[0].strip().lower() for kind in request.headers.getlist("content-type")}
    if len(kinds) > 1:
        raise UnreadableParametersError
    return kinds == {_FORM}


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Return names and values; an empty value counts as not given."""
    if not encoded:
        return []
    try:
        pairs = parse_qsl(encoded.decode(), errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise UnreadableParametersError from None
    if not all(is_writable(value) for _, value in pairs):
        raise UnreadableParametersError
    return pairs
