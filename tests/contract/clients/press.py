"""A generated Python client starts, pauses, resumes and stops a timer. Called with URL, TOKEN and OWNER.

`stint_client` is what openapi-python-client makes of the document.
"""

import sys

from stint_client import AuthenticatedClient
from stint_client.api.timers import get_timer, pause_timer, resume_timer, start_timer, stop_timer
from stint_client.models import JudgedTimer, Problem, ReadTimer, StartTimer


def judged(answer: object) -> JudgedTimer:
    """Return the timer of an answer that is one."""
    if not isinstance(answer, JudgedTimer):
        raise TypeError(answer)
    return answer


url, token, owner = sys.argv[1:]
with AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True) as client:
    start = StartTimer(owner=owner, job_id="roof")
    started = judged(start_timer.sync(client=client, body=start, idempotency_key=f"{owner}-1", prefer="wait=10"))
    print(started.state)
    print(judged(pause_timer.sync(started.id, client=client)).state)
    print(judged(resume_timer.sync(started.id, client=client)).state)
    stopped = judged(stop_timer.sync(started.id, client=client))
    print(stopped.state)

    again = pause_timer.sync_detailed(started.id, client=client)
    print(again.status_code.value, again.parsed.rule if isinstance(again.parsed, Problem) else again.parsed)

    read = get_timer.sync(started.id, client=client, x_min_position=stopped.position)
    if not isinstance(read, ReadTimer):
        raise TypeError(read)
    print(len(read.intervals), "intervals of", read.job_id)
