"""Public holidays of a country, copied into a document as explicit dates. The rules read the document and nothing else.

With care: the names. They are in the country's own language unless another one is asked for, never in the terminal's.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.stint_cli.trouble import Trouble


@dataclass(frozen=True, slots=True)
class CountryYear:
    """Which holidays: a country by its ISO 3166 code, a part of it, a year, and the language of the names."""

    country: str
    year: int
    subdivision: str | None = None
    language: str | None = None


def with_holidays(document: dict[str, Any], wanted: CountryYear) -> dict[str, Any]:
    """Return a document with the holidays of a year. A day that it has already keeps its name; no day is taken out."""
    days = {holiday["day"]: holiday for holiday in document.get("holidays", [])}
    for day, name in public_holidays(wanted).items():
        days.setdefault(day.isoformat(), {"day": day.isoformat(), "name": name})
    return document | {"holidays": [days[day] for day in sorted(days)]}


def public_holidays(wanted: CountryYear) -> dict[date, str]:
    """Return the days and names. Raise Trouble when the library does not know the country, its part or the year."""
    from holidays import country_holidays  # noqa: PLC0415 - half a second, which no other command should take

    try:
        calendar = country_holidays(wanted.country, subdiv=wanted.subdivision)
    except NotImplementedError as error:
        raise Trouble(f"{error}: give --country as in IL, --subdivision as in BY for DE.") from error
    language = wanted.language or calendar.default_language
    if wanted.language is not None and wanted.language not in calendar.supported_languages:
        known = ", ".join(calendar.supported_languages) or "no language but its own"
        raise Trouble(
            f"Holiday names of {wanted.country} exist in {known}, not in {wanted.language}: choose one with --language."
        )
    found = country_holidays(wanted.country, subdiv=wanted.subdivision, years=wanted.year, language=language)
    if not found:
        raise Trouble(f"No holidays are known for {wanted.country} in {wanted.year}.")
    return dict(found.items())
