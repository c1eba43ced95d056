"""How each dialect answers a press that is recorded but not judged in time, because no projector runs."""

import asyncio

from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Person, Tenant
from tests.support.stack.ways_in import bearer, fresh_number, zoho

TRY_AGAIN = b'"errors":{"code":"SERVICE_UNAVAILABLE","message":"Please try after some time"},"status":1}}'


async def test_each_dialect_words_a_press_that_is_not_judged(
    api: Api, crew: Crew, tenant: Tenant, person: Person
) -> None:
    """All hear the verdict afterwards."""
    http, machine = api.http, bearer(tenant.token)
    timer = (await api.start(str(fresh_number()))).json()["id"]
    paused = (await api.start(person.owner)).json()["timelog_id"]
    await http.post("/people/api/timetracker/timer", headers=zoho(person.token))  # its token is cached from here on
    await crew.be(apis=1, projectors=0)

    start = {"owner": fresh_number(), "comment": "once"}
    keyed = machine | {"Idempotency-Key": "the one"}
    pause = {"timeLogId": paused, "timer": "stop"}
    a_start, a_keyed, a_stop, b_pause, c_start = await asyncio.gather(
        http.post("/v2/timer/start", json={"owner": fresh_number()}, headers=machine),
        http.post("/v2/timer/start", json=start, headers=keyed),
        http.put(f"/v2/timer/{timer}", headers=machine),
        http.post("/people/api/timetracker/timer", data=pause, headers=zoho(person.token)),
        http.post("/v1/timers", json={"owner": str(fresh_number())}, headers=machine | {"Prefer": "wait=1"}),
    )
    answers = (a_start, a_keyed, a_stop, b_pause, c_start)
    assert [answer.status_code for answer in answers] == [202, 503, 503, 503, 202]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert a_start.json()["message"] == "הטיימר הופעל"
    assert b_pause.content.startswith(b'{"response":{"message":"Error in pausing the timer"')
    assert b_pause.content.endswith(TRY_AGAIN)
    told = await http.get(c_start.headers["location"], headers=machine)
    assert (told.status_code, told.headers["retry-after"]) == (202, "1")

    await crew.be(apis=1, projectors=1)
    told = await http.get(c_start.headers["location"], headers=machine | {"Prefer": "wait=10"})
    assert (told.status_code, told.json()["verdict"]) == (200, "accepted")
    retried = [await http.post("/v2/timer/start", json=start, headers=keyed) for _ in range(2)]
    assert [answer.status_code for answer in retried] == [201, 201]
    assert retried[0].content == retried[1].content
    assert (await http.get(f"/v1/timers/{a_start.json()['id']}", headers=machine)).json()["state"] == "RUNNING"
    assert (await http.get(f"/v1/timers/{timer}", headers=machine)).json()["state"] == "STOPPED"
    # The press that heard 503 paused it, so a retry without a key hears that it is paused.
    again = await http.post("/people/api/timetracker/timer", data=pause, headers=zoho(person.token))
    assert (again.status_code, again.json()["response"]["errors"]["code"]) == (400, 8001)
