"""Accept: the weights that a caller gives to media types (RFC 9110, 12.5.1)."""

import re
from typing import Final

from starlette.requests import Request

_QVALUE: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?", re.ASCII)


def weights_of(request: Request) -> dict[str, float]:
    """Return the weight of each range of `Accept`, wildcards too, in lower case.

    Of two ranges that are the same the first counts. A malformed weight counts as zero: its meaning would be a guess.
    """
    weights: dict[str, float] = {}
    for part in ",".join(request.headers.getlist("accept")).split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name:
            weights.setdefault(name, _weight(parameters))
    return weights


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return float(value) if _QVALUE.fullmatch(value.strip()) else 0.0
    return 1.0
