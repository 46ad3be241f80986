"""A schema generator that gives each option the text below its field.

pydantic can do so itself (`use_attribute_docstrings`), but asks for the source of each class by itself, and so parses
a module again for each class in it: most of the seconds of `airflow-etl schema`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from airflow_provider_etl.spec.class_docs import attribute_docs

if TYPE_CHECKING:
    from pydantic_core import core_schema

_JSON: Final = (type(None), bool, int, str)


class Described(GenerateJsonSchema):
    """Properties of dataclasses with their descriptions."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """What pydantic says of a dataclass, and what its source says of each option."""
        found = super().dataclass_schema(schema)
        texts = attribute_docs(cast("Any", schema["cls"]))
        properties: dict[str, Any] = self.resolve_ref_schema(found)["properties"]
        for field in _fields(schema["schema"]):
            text, shown = texts.get(field["name"]), properties.get(str(field.get("validation_alias", field["name"])))
            if text and shown is not None:
                shown.setdefault("description", text)
        return found

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """What may be left out; beside a mapping the one option that stands for it, where it has such."""
        found = super().nullable_schema(schema)
        inner: Any = schema["schema"]
        short = getattr(inner.get("cls"), "shorthand", None)
        if short is None or "anyOf" not in found:
            return found
        option = self.resolve_ref_schema(found["anyOf"][0])["properties"][short]
        return {**found, "anyOf": [option, *found["anyOf"]]}

    def encode_default(self, dft: Any) -> Any:
        """A default as JSON; pydantic builds an adapter for each, even for what is JSON already."""
        return dft if type(dft) in _JSON else super().encode_default(dft)


def _fields(schema: Any) -> list[Any]:
    while "fields" not in schema:  # checks of the whole instance stand around its fields
        schema = schema["schema"]
    found: list[Any] = schema["fields"]
    return found
