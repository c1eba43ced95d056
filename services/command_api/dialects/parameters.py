"""Parameters in a query string or a urlencoded form, as dialect B takes them."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from services.command_api.dialects.values import is_writable

FIELDS_MAX: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"


class UnreadableParametersError(Exception):
    """They are no UTF-8, too many, of two content types, or one is given twice with two values."""


async def parameters(request: Request) -> dict[str, str]:
    """Return what the query and the form say together; empty is the same as not given. Raises as above.

    A body of another kind than a form is not looked at.
    """
    # Read in any case: a body that nobody read costs the caller its connection.
    body = await request.body()
    given = _pairs(request.scope["query_string"])
    if request.method == "POST" and _is_form(request):
        given += _pairs(body)
    read: dict[str, str] = {}
    for name, value in given:
        if value and read.setdefault(name, value) != value:
            raise UnreadableParametersError
    return read


def _is_form(request: Request) -> bool:
    kinds = {kind.partition(";")[0].strip().lower() for kind in request.headers.getlist("content-type")}
    if len(kinds) > 1:
        raise UnreadableParametersError
    return kinds == {_FORM}


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    if not encoded:
        return []
    try:
        pairs = parse_qsl(encoded.decode(), errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise UnreadableParametersError from None
    if not all(is_writable(value) for _, value in pairs):
        raise UnreadableParametersError
    return pairs
