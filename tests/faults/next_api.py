"""The API of the next release: it says more in each event. `python -m tests.faults.next_api`."""

import json

from services.command_api.__main__ import main
from services.command_api.submit import press
from shared.events.codec import write_body
from shared.events.models import AnyEvent


def say_more(event: AnyEvent) -> bytes:
    """Write an event with a member that this release has never heard of."""
    return json.dumps(json.loads(write_body(event)) | {"mood": "good"}).encode()


if __name__ == "__main__":
    press.write_body = say_more  # type: ignore[attr-defined] # it is there under its imported name
    main()
