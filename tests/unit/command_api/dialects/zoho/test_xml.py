"""Dialect B in XML: a parser that is not ours reads in each answer what the same answer says in JSON."""

import json
from collections.abc import Mapping
from typing import Any, Final, get_args
from xml.etree import ElementTree as ET
from xml.sax import saxutils

import hypothesis
import pytest
from hypothesis import strategies as st
from starlette.responses import Response

from services.command_api.dialects.zoho import answers
from services.command_api.dialects.zoho.answers import RUNNING_URI, TIMER_URI, Fields, Verb, Words
from shared.events.rules import Rule

# What XML 1.0 can write (its production 2), spelt otherwise than in the writer.
SAYABLE: Final = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXTS: Final = st.text(SAYABLE | st.sampled_from("\t\n\r<>&\"']]>"))
# Far beyond the calendar: the JSON writer takes whole numbers of 64 bits, and no answer has a larger one.
SECONDS: Final = st.integers(-(2**63), 2**63 - 1)
RUNNING: Final = st.fixed_dictionaries({"jobId": TEXTS, "employeename": TEXTS, "taskName": TEXTS, "date": SECONDS})


def _parsed(answer: Response) -> Mapping[str, Any]:
    """Return the XML as its JSON counterpart has it, with every value as text."""
    root = ET.fromstring(bytes(answer.body))
    assert (root.tag, set(root.attrib)) == ("response", {"uri"})
    said = {child.tag: {leaf.tag: leaf.text or "" for leaf in child} or child.text for child in root}
    return said | {"uri": root.attrib["uri"]}


def _said(answer: Response) -> Mapping[str, Any]:
    said: dict[str, Any] = json.loads(bytes(answer.body))["response"]
    inner = {name: _texts(value) for name, value in said.items() if isinstance(value, dict)}
    return said | {"status": str(said["status"])} | inner


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}


def _fetched(*, xml: bool, fields: Fields) -> Response:
    return Words(RUNNING_URI, "fetch", xml).succeed(fields)


@hypothesis.given(RUNNING)
def test_a_running_timer_says_the_same_in_xml_as_in_json(running: dict[str, str | int]) -> None:
    fields = [*running.items(), ("isRunning", True)]
    assert _parsed(_fetched(xml=True, fields=fields)) == _said(_fetched(xml=False, fields=fields))


@pytest.mark.parametrize("verb", get_args(Verb))
@pytest.mark.parametrize("rule", list(Rule))
def test_a_refusal_says_the_same_in_xml_as_in_json(rule: Rule, verb: Verb) -> None:
    xml, plain = (Words(TIMER_URI, verb, as_xml).refused(rule) for as_xml in (True, False))
    assert _parsed(xml) == _said(plain)
    assert xml.status_code == plain.status_code


@hypothesis.given(st.text())
def test_no_text_makes_an_answer_that_a_parser_refuses(text: str) -> None:
    assert _parsed(_fetched(xml=True, fields=[("employeename", text)]))["status"] == "0"


@pytest.mark.parametrize("text", ["a\x01b", "a\ufffeb"])
def test_a_writer_that_only_escapes_is_refused_by_the_parser(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: escaping alone, as the standard library does it, lets through what no parser accepts."""
    monkeypatch.setattr(answers, "xml_text", saxutils.escape)
    with pytest.raises(ET.ParseError):
        _parsed(_fetched(xml=True, fields=[("employeename", text)]))
