"""Accept: the form in which a caller wants days."""

from collections.abc import Iterable, Iterator
from typing import Final

from starlette.requests import Request

JSON: Final = "application/json"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
VARY: Final = {"Vary": "Accept"}


def form_wanted(request: Request) -> str:
    """Return the media type that `Accept` names with the highest weight; of equal ones JSON, then CSV.

    A wildcard names none. A caller who names none of the three gets JSON.
    """
    weights: dict[str, float] = {}
    for part in ",".join(request.headers.getlist("accept")).split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weights.setdefault(name, _weight(parameters))
    return max((JSON, CSV, XLSX), key=lambda form: weights.get(form, 0.0))


def _weight(parameters: Iterable[str]) -> float:
    for name, _, value in _pairs(parameters):
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _pairs(parameters: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    return (each.replace(" ", "").partition("=") for each in parameters)
