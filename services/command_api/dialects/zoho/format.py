"""Which of its two formats a caller of dialect B wants: JSON, unless it asks for XML."""

from typing import Final

from starlette.requests import Request

_XML: Final = frozenset({"application/xml", "text/xml"})
_JSON: Final = "application/json"


def wants_xml(request: Request, format_: str | None) -> bool:
    """Say whether to answer in XML: the parameter `format` says so, else an Accept that prefers an XML type to JSON."""
    if format_ in {"xml", "json"}:
        return format_ == "xml"
    accept = request.headers.get("accept", "")
    if "/xml" not in accept:
        return False
    weights = [_weight(part) for part in accept.split(",")]
    xml = max((q for name, q in weights if name in _XML), default=0.0)
    return xml > max((q for name, q in weights if name == _JSON), default=0.0)


def _weight(part: str) -> tuple[str, float]:
    name, *settings = part.split(";")
    for setting in settings:
        key, _, value = setting.partition("=")
        if key.strip().lower() == "q":
            try:
                return name.strip().lower(), float(value)
            except ValueError:
                return name.strip().lower(), 0.0
    return name.strip().lower(), 1.0
