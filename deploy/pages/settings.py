"""The settings in docs/operations.md, from the settings classes: `make pages` writes them anew.

The comment above a setting in the code says what the setting is for; a test compares the page with the code.
"""

import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from services.command_api.settings import Settings as CommandApiSettings
from services.feed.settings import Settings as FeedSettings
from services.projector.settings import Settings as ProjectorSettings
from services.stint_cli.settings import DatabaseSettings, DemoSettings, DeploymentSettings, DoctorSettings
from shared.settings import KafkaSettings, PostgresSettings

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
BEGIN: Final = "<!-- settings: written by `make pages` -->"
END: Final = "<!-- settings: end -->"

_HEADINGS: Final = "| variable | default | |\n|---|---|---|\n"
# Listed once, because every prefix has them.
_SHARED: Final = (KafkaSettings, PostgresSettings)


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable."""

    variable: str
    default: str
    meaning: str

    def row(self) -> str:
        """Return it as a line of a table."""
        return f"| `{self.variable}` | {self.default} | {self.meaning} |\n"


def settings_of(kinds: Sequence[type[BaseSettings]], prefix: str) -> Iterator[Setting]:
    """Return the settings that these classes themselves declare, in their order."""
    for kind in kinds:
        said = _comments(kind)
        for name in kind.__annotations__:
            if (field := kind.model_fields.get(name)) is not None:
                yield Setting(f"{prefix}{name}".upper(), _default(field), " ".join([*_choices(field), *said[name]]))


def table() -> str:
    """Return the part of the page between the marks."""
    parts = {
        "Kafka and Postgres: of every process, under its own prefix": (_SHARED, "…_"),
        "The command API": ((CommandApiSettings,), _prefix(CommandApiSettings)),
        "The projector": ((ProjectorSettings,), _prefix(ProjectorSettings)),
        "The feed": ((FeedSettings,), _prefix(FeedSettings)),
        "The operator's commands": (
            (DatabaseSettings, DeploymentSettings, DemoSettings, DoctorSettings),
            _prefix(DemoSettings),
        ),
    }
    return "\n".join(
        f"**{title}**\n\n{_HEADINGS}{''.join(setting.row() for setting in settings_of(kinds, prefix))}"
        for title, (kinds, prefix) in parts.items()
    )


def with_table(page: str) -> str:
    """Return the page with the table as it must be."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{PAGE.name} has no place for the table: put {BEGIN} and {END} there")
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def _prefix(kind: type[BaseSettings]) -> str:
    return str(kind.model_config["env_prefix"])


def _comments(kind: type[BaseSettings]) -> dict[str, list[str]]:
    """Return the comment above each field, line by line, without its hashes."""
    found: dict[str, list[str]] = {name: [] for name in kind.__annotations__}
    comment: list[str] = []
    for line in map(str.strip, inspect.getsource(kind).splitlines()):
        name, colon, _ = line.partition(":")
        if line.startswith("# "):
            comment.append(line.removeprefix("# "))
            continue
        if colon and name in found:
            found[name] = comment
        comment = []
    return found


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default in (None, ()):
        return "none"
    return f"`{field.default}`"


def _choices(field: FieldInfo) -> list[str]:
    kind: Any = field.annotation
    if get_origin(kind) is Literal:
        return [", ".join(f"`{choice}`" for choice in get_args(kind)) + "."]
    return ["A secret."] if SecretStr in {kind, *get_args(kind)} - {NoneType} else []


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is as the code says.\n")
