"""Accept: the form in which a caller wants days."""

from typing import Final

from starlette.requests import Request

from shared.process.http.accept import weights_of

JSON: Final = "application/json"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
VARY: Final = {"Vary": "Accept"}


def form_wanted(request: Request) -> str:
    """Return the media type that `Accept` names with the highest weight; of equal ones JSON, then CSV.

    A wildcard names none. A caller who names none of the three gets JSON.
    """
    weights = weights_of(request)
    return max((JSON, CSV, XLSX), key=lambda form: weights.get(form, 0.0))
