"""How long each service may take to end by itself, with its settings: Kubernetes and compose must wait longer."""

from collections.abc import Mapping
from typing import Final

from services.command_api.settings import Settings as ApiSettings
from services.feed.settings import Settings as FeedSettings
from services.projector.settings import Settings as ProjectorSettings
from shared.kafka.kept_producer import STOP_WITHIN_SECONDS

# The tail of an API or a feed, and the people that wait, have 3 s each.
_TWO_STEPS_SECONDS: Final = 6.0


def end_seconds_max(service: str, environ: Mapping[str, str]) -> float:
    """Drain, requests in flight, sent records and the producer's end each have a deadline of their own."""

    def said(kind: type[ApiSettings | FeedSettings | ProjectorSettings], field: str) -> float:
        variable = f"{kind.model_config['env_prefix']}{field}".upper()
        return float(environ.get(variable, kind.model_fields[field].default))

    if service == "command-api":
        drain, grace = said(ApiSettings, "drain_seconds"), said(ApiSettings, "grace_seconds")
        return drain + 2 * grace + STOP_WITHIN_SECONDS + _TWO_STEPS_SECONDS
    if service == "feed":
        return said(FeedSettings, "drain_seconds") + said(FeedSettings, "grace_seconds") + _TWO_STEPS_SECONDS
    assert service == "projector"
    return 3 * said(ProjectorSettings, "grace_seconds") + STOP_WITHIN_SECONDS
