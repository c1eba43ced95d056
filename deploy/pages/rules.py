"""docs/rules.md, from the table of rules in shared/events: `make pages` writes it anew.

What a rule means and answers is written once, in the table; the bounds of its limits are the policy's own. A test
compares the page with both.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from shared.events.policy import Mode, OverlapMode, Policy, Preset
from shared.events.rule_rows import FLAGS, ZOHO_FAILED, ZOHO_TEXTS, Limit, ModeWord, RuleRow
from shared.events.rule_table import RULE_ROWS

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "rules.md"

_INTRODUCTION: Final = """\
<!-- Written by `make pages` from the table of rules in shared/events. Do not edit by hand. -->
# Rules, one by one

For each rule: what it means, what a tenant can set, when its finding begins and ends, and what each
dialect answers. The order in which rules answer, and how days and findings are counted, is in the
[contract](contract.md#6-rules), section 6.
"""
_MODES_INTRODUCTION: Final = """\
## Modes

A mode is set in the tenant's policy, as `rules.R11.mode`; one that is left out is the preset's. A
rule without modes cannot be set: it refuses whenever it fires. **A stop is never refused by a rule
that has modes.** A rule whose mode is `strict` may refuse a pause, so the document must set
`rules.R16.auto_close_seconds` too (R14 apart: the same pause without its time counts).

| mode | what the rule does when it fires |
|---|---|"""
_DOES: Final[Mapping[Mode | OverlapMode, str]] = {
    Mode.OFF: "nothing",
    Mode.FLAG: "accepts the press and records a finding",
    Mode.BLOCK: "refuses start and resume; flags the rest",
    Mode.STRICT: "refuses pause too",
    OverlapMode.ALLOW: "nothing (R13)",
    OverlapMode.PAUSE_PREVIOUS: "pauses the other timer at the press, or at its own last event (R13)",
    OverlapMode.STOP_PREVIOUS: "stops the other timer at the press, or at its own last event (R13)",
}
_RULES_INTRODUCTION: Final = """\
## The rules

Limits are fields of the policy; one that is left out never fires. In the answers, A is `/v2/timer`,
B is `/people/api/timetracker` and C is `/v1`. A rule with modes is heard by a start and a resume,
and by a pause if it may be `strict`. The finding of a refused press has no end, R14's apart. `…` is
the name of the parameter that is wrong. B's own message of a verb: """
_VERBS: Final = ("start", "pause", "resume")
_NOT_FOUND: Final = 404

Schema = dict[str, Any]


def page() -> str:
    """Return the page as it must be."""
    return "\n".join([_INTRODUCTION, *_modes(), *_at_a_glance(), *_rules()]).rstrip() + "\n"


def _modes() -> Iterator[str]:
    yield _MODES_INTRODUCTION
    # Two kinds of modes share the words `flag` and `block`, which mean the same in both.
    words: dict[str, Mode | OverlapMode] = {mode.value: mode for mode in (*OverlapMode, *Mode)}
    for word in (*Mode, *(mode for mode in OverlapMode if mode.value not in set(Mode))):
        yield f"| `{word.value}` | {_DOES[words[word.value]]} |"
    yield ""


def _at_a_glance() -> Iterator[str]:
    yield "## Defaults\n"
    yield f"| rule | | modes | {' | '.join(f'`{preset.value}`' for preset in Preset)} |"
    yield f"|---|---|---|{'---|' * len(Preset)}"
    for row in RULE_ROWS:
        if row.modes:
            defaults = " | ".join(f"`{row.default_of(preset)}`" for preset in Preset)
            yield f"| [{row.rule.value}](#{_anchor(row)}) | {row.rule.reason} | {_words(row.modes)} | {defaults} |"
    refusing = ", ".join(f"[{row.rule.value}](#{_anchor(row)})" for row in RULE_ROWS if not row.modes)
    yield f"\nWithout modes: {refusing}.\n"


def _rules() -> Iterator[str]:
    yield _RULES_INTRODUCTION + "; ".join(f"{verb} `{ZOHO_FAILED[verb]}`" for verb in _VERBS) + ".\n"
    for row in RULE_ROWS:
        yield f"### {row.rule.value} {row.rule.reason}\n\nFires when {row.means}.\n"
        yield from (f"- {line}" for line in (*_settings(row), *_finding(row), *_answers(row)))
        yield ""


def _settings(row: RuleRow) -> Iterator[str]:
    if row.modes:
        other = "".join(f", `{mode}` under `{preset}`" for preset, mode in row.presets.items())
        yield f"Modes: {_words(row.modes)}. Default: `{row.default}`{other}."
    for limit in row.limits:
        yield f"Limit: `{limit.path}`, {limit.meaning}: {_kind(_field(limit))}."
    yield from row.beside


def _finding(row: RuleRow) -> Iterator[str]:
    if row.finds is None:
        yield "Finding: none."
        return
    yield f"Finding: it begins {row.finds.begins}; {row.finds.ends}."


def _answers(row: RuleRow) -> Iterator[str]:
    if row.modes == FLAGS:
        yield "Refuses no press, so no dialect has an answer for it."
        return
    yield f"A: {_in_thebase(row)}"
    yield f"B: {_in_zoho(row)}"
    yield f"C: {row.native}, `{row.rule.reason}`, `{_sentence(row)}`"


def _in_thebase(row: RuleRow) -> str:
    start, stop = (_with_message(row, row.thebase[verb]) for verb in ("start", "stop"))
    if row.modes:
        return f"{start}, on a start"
    return start if start == stop else f"start {start}; stop {stop}"


def _with_message(row: RuleRow, status: int) -> str:
    # Unknown, foreign and malformed ids get the same bytes.
    return f"{status}" if status == _NOT_FOUND else f"{status}, `{_sentence(row)}`"


def _sentence(row: RuleRow) -> str:
    return row.sentence if row.about is None else row.about.format(parameter="…")


def _in_zoho(row: RuleRow) -> str:
    answer = row.zoho
    told = f"{answer.status}, code `{answer.code}` (`{ZOHO_TEXTS[answer.code]}`)"
    if answer.code_of_a_date is not None:
        told += f", for a date on a start `{answer.code_of_a_date}` (`{ZOHO_TEXTS[answer.code_of_a_date]}`)"
    messages = {verb: answer.messages[verb] for verb in _VERBS}
    if answer.messages == ZOHO_FAILED:
        return f"{told}, the verb's own message"
    if len(set(messages.values())) == 1:
        return f"{told}, message `{messages['start']}`"
    return f"{told}; " + "; ".join(f"{verb} `{message}`" for verb, message in messages.items())


def _field(limit: Limit) -> Schema:
    """Return the schema of a policy's field, by its path."""
    whole: Schema = TypeAdapter(Policy).json_schema()
    found = whole
    for name in limit.path.split("."):
        found = _deref(_deref(found, whole)["properties"][name], whole)
    return found


def _deref(schema: Schema, whole: Schema) -> Schema:
    """Return what a schema stands for: the definition that it names, without its null and its default."""
    if "anyOf" in schema:
        (schema,) = (kind for kind in schema["anyOf"] if kind != {"type": "null"})
    if "items" in schema:
        return schema | {"items": _deref(schema["items"], whole)}
    name = schema.get("$ref", "").rpartition("/")[2]
    return whole["$defs"][name] if name else schema


def _kind(schema: Schema) -> str:
    match schema:
        case {"type": "integer", "minimum": least, "maximum": most}:
            days = most // (24 * 60 * 60)
            return f"seconds, {least} to {most:,} ({days} days)"
        case {"type": "string", "format": "date"}:
            return "a day (`YYYY-MM-DD`)"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "array", "items": {"properties": properties}}:
            return f"a list of {{{', '.join(f'`{name}`' for name in properties)}}}"
        case _:
            raise ValueError(f"no words for a limit like {schema}")


def _words(modes: tuple[ModeWord, ...]) -> str:
    return ", ".join(f"`{mode}`" for mode in modes)


def _anchor(row: RuleRow) -> str:
    return f"{row.rule.value.lower()}-{row.rule.reason}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is as the code says.\n")
