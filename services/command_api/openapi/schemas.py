"""Schemas: JSON Schema of models, under the names that the document gives them."""

from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import core_schema

from services.command_api.openapi.parts import ContentDoc, Schema

_PLACE = "#/components/schemas/"


class _Untitled(GenerateJsonSchema):
    """Pydantic's own generator, without titles, which only repeat the name beside them."""

    def field_title_should_be_set(self, schema: Any) -> Literal[False]:  # noqa: ANN401, ARG002 - pydantic's argument
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        """Leave out null, and each default of an answer: `required` says that a member may be missing."""
        found = super().default_schema(schema)
        if self.mode == "serialization" or found.get("default", "") is None:
            found.pop("default", None)
        return found

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,  # noqa: FBT001 - pydantic's argument
    ) -> bool:
        """Say that an answer always has a member that can have one value only, such as the version of an outcome."""
        kind = field["schema"]
        fixed = (
            kind["type"] == "default" and kind["schema"]["type"] == "literal" and len(kind["schema"]["expected"]) == 1
        )
        return (self.mode == "serialization" and fixed) or super().field_is_required(field, total)


class Schemas:
    """All schemas of the document. Two different ones of one name are a mistake, and raise ValueError."""

    def __init__(self) -> None:
        self.by_name: dict[str, Schema] = {}
        self._models: dict[str, type[Any]] = {}

    def of(self, content: ContentDoc, mode: JsonSchemaMode) -> Schema:
        """Return the schema that stands where `content` does: a reference, or the schema that was given."""
        if isinstance(content.model, dict):
            return content.model
        if self._models.setdefault(content.name, content.model) is not content.model:
            raise ValueError(f"two models are called {content.name}: give one of them another name")
        if content.name not in self.by_name:
            self._add_all(content.name, content.model, mode)
        return {"$ref": f"{_PLACE}{content.name}"}

    def _add_all(self, name: str, model: type[Any], mode: JsonSchemaMode) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(model)
        schema = adapter.json_schema(mode=mode, ref_template=f"{_PLACE}{{model}}", schema_generator=_Untitled)
        for inner, part in schema.pop("$defs", {}).items():
            self._add(inner, part)
        self._add(name, schema)

    def _add(self, name: str, schema: Schema) -> None:
        schema.pop("title", None)
        if self.by_name.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are called {name}: give one of them another name")
