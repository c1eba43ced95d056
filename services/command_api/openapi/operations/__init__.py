"""Operations: each call of each dialect, as data: what may be sent, and each answer that may come back.

To add a call, add one `OperationDoc` to the `OPERATIONS` of its file. The test that compares routes and document
fails until it is there.

    common      parameters, headers and problems that many calls share
    timers      dialect C: presses, one timer, one outcome
    lists       dialect C: timers by filters, those of an owner now, and one's history
    reports     dialect C: days and findings
    owners      dialect C: facts about owners
    policy      dialect C: the tenant's policy
    feed        the change feed, which a process of its own answers
    published/  dialects A and B, as their owners publish them

Bodies of requests are the models that `dialects` reads them with. Bodies of answers are written by hand in `dialects`,
so their models are here; the contract tests compare each answer that they get with them.
Safe to change: the description of a field. With care: the name of a model, because generated clients call it so.
Never: an example that the service would not answer.
"""
