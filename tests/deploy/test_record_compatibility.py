"""A record format may grow, and never breaks: each release's schemas, kept in tests/golden/schemas, against today's.

Old records must read for ever, because the log keeps them. What we write must read for those who have an older schema.
At a release, docs/schemas is copied into a folder of its number, and the headers of docs/asyncapi.json into a file in
tests/golden/headers. Files there are added, never edited.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
from jsoncompat import check_compat

from services.command_api.openapi.asyncapi import asyncapi
from services.command_api.openapi.document import VERSION
from services.command_api.openapi.records import record_types
from shared.events import topics

GOLDEN: Final = Path(__file__).resolve().parents[1] / "golden" / "schemas"
HEADERS: Final = GOLDEN.with_name("headers")
RELEASES: Final = sorted(path.name for path in GOLDEN.iterdir())
# Others write these, and only our own processes read them. A new word, such as a preset, breaks none of the writers.
READ_ALONE: Final = {topics.COMMANDS, topics.POLICIES}

Schema = dict[str, Any]
Step = str | int


def broken(topic: str, old: Schema, new: Schema) -> list[str]:
    """Return who is broken by a change of a record's schema."""
    said = []
    # What was ever written had only the members that its schema lists.
    if not check_compat(_text(_with_members(old, closed=True)), _text(new), "deserializer"):
        said.append("old records do not read any more")
    # Readers ignore members that they do not know, and rely on those that they know.
    before, after = (_text(_with_members(schema, closed=False)) for schema in (old, new))
    if topic not in READ_ALONE and not check_compat(before, after, "serializer"):
        said.append("old readers cannot read new records")
    return said


def _text(schema: Schema) -> str:
    # jsoncompat takes an `$id` for an address that it cannot reach.
    return json.dumps({name: said for name, said in schema.items() if name != "$id"})


def _with_members(schema: Schema, *, closed: bool) -> Schema:
    """Return the same schema with every object closed to members that it does not list, or open to them."""
    said = deepcopy(schema)
    for place in _objects(said):
        _at(said, place)["additionalProperties"] = not closed
    return said


def _objects(schema: object, place: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Return the places of all objects that list members."""
    inner: list[tuple[Step, object]] = []
    if isinstance(schema, dict):
        inner = list(schema.items())
        if isinstance(schema.get("properties"), dict):
            yield place
    elif isinstance(schema, list):
        inner = list(enumerate(schema))
    for step, each in inner:
        yield from _objects(each, (*place, step))


def _at(schema: Schema, place: tuple[Step, ...]) -> Schema:
    found: Any = schema
    for step in place:
        found = found[step]
    assert isinstance(found, dict)
    return found


def kept(release: str, name: str) -> Schema:
    schema: Schema = json.loads((GOLDEN / release / f"{name}.json").read_text(encoding="utf-8"))
    return schema


TODAY: Final = {one.name: one for one in record_types()}
KEPT: Final = [(release, path.stem) for release in RELEASES for path in sorted((GOLDEN / release).glob("*.json"))]


@pytest.mark.parametrize(("release", "name"), KEPT)
def test_a_record_of_a_release_reads_today_and_its_readers_read_todays(release: str, name: str) -> None:
    today = TODAY.get(name)
    assert today is not None, f"{name} is on the log for ever: keep its model, and add a version beside it"
    assert broken(today.topic, kept(release, name), today.schema()) == [], (
        f"{name} of {release} is broken: make the change another version of the type (docs/compatibility.md)"
    )


def headers_today() -> dict[str, tuple[str, Schema]]:
    """Return the headers of each type of record that has some, with its topic."""
    messages = asyncapi()["components"]["messages"]
    topic_of = {name: one.topic for name, one in TODAY.items()} | {"dead": topics.DEAD}
    return {name: (topic_of[name], told["headers"]) for name, told in messages.items() if "headers" in told}


@pytest.mark.parametrize("release", RELEASES)
def test_headers_of_a_release_read_today_and_its_readers_read_todays(release: str) -> None:
    before: dict[str, Schema] = json.loads((HEADERS / f"{release}.json").read_text(encoding="utf-8"))
    today = headers_today()
    assert before.keys() <= today.keys()
    for name, old in before.items():
        topic, new = today[name]
        assert broken(topic, old, new) == [], f"the headers of {name}, {release}"


def test_a_header_that_goes_or_is_demanded_is_noticed() -> None:
    """The control. A new optional header is noticed by nobody, because readers ignore it."""
    topic, headers = headers_today()["timer.started.v1"]
    assert broken(topic, headers, _changed(headers, (), _without("ce_policyrev"))) != []
    assert broken(topic, headers, _changed(headers, (), _with_mood(required=True))) != []
    assert broken(topic, headers, _changed(headers, (), _with_mood(required=False))) == []


def test_the_schemas_of_this_release_are_kept() -> None:
    assert VERSION in RELEASES
    assert len([name for release, name in KEPT if release == "0.1.0"]) == 19
    assert [path.stem for path in sorted(HEADERS.glob("*.json"))] == RELEASES


def _changed(schema: Schema, place: tuple[Step, ...], change: Callable[[Schema], None]) -> Schema:
    changed = deepcopy(schema)
    change(_at(changed, place))
    return changed


def _without(name: str) -> Callable[[Schema], None]:
    def change(told: Schema) -> None:
        del told["properties"][name]
        told["required"] = [other for other in told.get("required", ()) if other != name]

    return change


def _retyped(name: str) -> Callable[[Schema], None]:
    return lambda told: told["properties"].update({name: {"type": "array", "items": {"type": "null"}}})


def _with_mood(*, required: bool) -> Callable[[Schema], None]:
    def change(told: Schema) -> None:
        told["properties"]["mood"] = {"type": "string"}
        if required:
            told["required"] = [*told.get("required", ()), "mood"]

    return change


@pytest.mark.parametrize("name", TODAY)
def test_a_member_that_goes_or_turns_into_another_type_is_noticed(name: str) -> None:
    """The control, in every object of every type at every depth."""
    one, schema = TODAY[name], TODAY[name].schema()
    for place in _objects(schema):
        member = next(iter(_at(schema, place)["properties"]))
        for change in (_without(member), _retyped(member)):
            assert broken(one.topic, schema, _changed(schema, place, change)) != [], (*place, member)


@pytest.mark.parametrize("name", TODAY)
def test_a_new_member_may_be_optional_and_not_required(name: str) -> None:
    one, schema = TODAY[name], TODAY[name].schema()
    for place in _objects(schema):
        assert broken(one.topic, schema, _changed(schema, place, _with_mood(required=False))) == []
        assert broken(one.topic, schema, _changed(schema, place, _with_mood(required=True))) != []


def test_narrower_and_wider_values_break_those_whom_they_break() -> None:
    command, outcome = TODAY["timer.start.v1"], TODAY["timer.outcome.v1"]

    def narrower(told: Schema) -> None:
        told["properties"]["owner"]["anyOf"][0]["maxLength"] = 64

    assert broken(command.topic, command.schema(), _changed(command.schema(), (), narrower)) == [
        "old records do not read any more"
    ]

    def wider(told: Schema) -> None:
        told["enum"] = [*told["enum"], "ASLEEP"]

    assert broken(outcome.topic, outcome.schema(), _changed(outcome.schema(), ("$defs", "State"), wider)) == [
        "old readers cannot read new records"
    ]

    def no_longer_sure(told: Schema) -> None:
        told["required"].remove("verdict")

    assert broken(outcome.topic, outcome.schema(), _changed(outcome.schema(), (), no_longer_sure)) == [
        "old readers cannot read new records"
    ]
