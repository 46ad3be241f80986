"""JSON Schema (2020-12) of the pipeline file, made of the classes that check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from airflow_provider_etl.spec.class_plan import plan_of
from airflow_provider_etl.spec.contracts.language import ContractFile, ContractUse
from airflow_provider_etl.spec.expectations import OURS, arguments
from airflow_provider_etl.spec.gate import adapter
from airflow_provider_etl.spec.language import PipelineFile
from airflow_provider_etl.spec.suites import KEY, SuiteUse
from airflow_provider_etl.spec.verbs import REGISTRIES
from spark_jobs import kinds
from spark_jobs.check.gx_foreign import FOREIGN
from spark_jobs.check.gx_names import EXPECTATIONS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NAME: Final = "^[A-Za-z_][A-Za-z0-9_]{0,99}$"
_CONTRACT: Final = {
    "$ref": "#/$defs/contract",
    "description": "A contract's file, relative to the project folder; or {file, schema, modes}.",
}
_SUITE: Final = {
    "$ref": "#/$defs/suite",
    "description": "A suite of Great Expectations (JSON), relative to this file; or {file, on_fail}.",
}
_FORMATS: Final = {
    "duration": {"pattern": "^[0-9]+[smhdw]$"},
    "date": {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "date-time": {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+$"},
}


def json_schema() -> dict[str, Any]:
    """The schema of a pipeline file as JSON."""
    from pydantic import TypeAdapter

    from airflow_provider_etl.spec.described import Described

    classes = {(group, name): kinds.find(found, name, group) for group, found in REGISTRIES.items() for name in found}
    inputs = [("/".join(key), "validation", adapter(kind)) for key, kind in classes.items()]
    inputs += [("suite", "validation", adapter(str | SuiteUse))]
    inputs += [("file", "validation", adapter(PipelineFile)), ("contract", "validation", adapter(str | ContractUse))]
    references, shared = TypeAdapter.json_schemas(inputs, schema_generator=Described)  # type: ignore[arg-type]
    definitions = {name: plain(item) for name, item in shared["$defs"].items()}
    found = {key: _resolved(references["/".join(key), "validation"], definitions) for key in classes}
    verbs = {key: _kind(key, kind, found[key]) for key, kind in classes.items()}
    definitions |= {key: _resolved(references[key, "validation"], definitions) for key in ("contract", "suite")}
    file = dict(_resolved(references["file", "validation"], definitions))
    file["properties"] = file["properties"] | _verbs(verbs)
    return {"$schema": DIALECT, "title": "A pipeline", **file, "$defs": _used(definitions, verbs)}


def schema_of_contracts() -> dict[str, Any]:
    """The schema of a contract file as JSON."""
    from airflow_provider_etl.spec.described import Described

    schema = plain(adapter(ContractFile).json_schema(schema_generator=Described))
    return {"$schema": DIALECT, **schema, "title": "A contract"}


def _resolved(reference: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(reference.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = definitions[name] if name else plain(reference)
    return found


def plain(schema: Any) -> Any:
    """Without pydantic's titles, and with the file's own forms of dates and durations."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    form = _FORMATS.get(schema["format"]) if isinstance(schema.get("format"), str) else None
    dropped = {"title"} if isinstance(schema.get("title"), str) else set()
    dropped |= {"format", "default"} if form else set()
    return {key: plain(item) for key, item in schema.items() if key not in dropped} | (form or {})


def _kind(key: tuple[str, str], kind: type[Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a kind's value, shorthand included; of a source or destination with its `type`."""
    group, name = key
    if group in ("extract", "load"):
        more: dict[str, Any] = {"type": {"const": name}, "contract": _CONTRACT}
        if group == "load":
            more["from"] = {"type": "string", "description": "The dataset that is loaded; default: result."}
        return {
            **schema,
            "properties": more | schema["properties"],
            "required": ["type", *schema.get("required", [])],
        }
    plan = plan_of(kind)
    if plan.shorthand is None:
        return dict(schema)
    short = dict(schema["properties"][plan.shorthand])
    return short if plan.whole else {"description": schema.get("description", ""), "anyOf": [short, schema]}


def _verbs(verbs: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    steps, checks = _single("transform", verbs), _single("check", verbs)
    checks["properties"] |= _expectations(verbs) | {KEY: _SUITE}
    origin = {"type": "string", "description": "A source, or an earlier dataset."}
    first = {"type": "object", "properties": {"from": origin}, "required": ["from"], "additionalProperties": False}
    dataset = {
        "type": "object",
        "properties": {"from": origin, "steps": {"type": "array", "items": steps}},
        "required": ["from"],
        "additionalProperties": False,
    }
    check_list = {"type": "array", "items": checks}
    return {
        "extract": _named("Name -> source.", _typed("extract", verbs)),
        "transform": {
            "description": "The steps of the dataset `result`, or name -> {from, steps}.",
            "anyOf": [
                {"type": "array", "minItems": 1, "prefixItems": [first], "items": steps},
                _named("Name -> dataset.", dataset),
            ],
        },
        "check": {
            "description": "Checks of the dataset, or name -> checks.",
            "anyOf": [check_list, _named("Dataset -> checks.", check_list)],
        },
        "load": _named("Name -> destination.", _typed("load", verbs)),
        "wait_for": {
            "description": "What must be true before a window is loaded: a list of conditions.",
            "type": "array",
            "items": _single("wait_for", verbs),
        },
    }


def _expectations(verbs: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """Checks by Great Expectations' names; their values are the checks' own to judge."""
    return {
        name: {
            "description": f"Great Expectations' name of `{found.kind}`.",
            "type": "object",
            "properties": {key: {} for key in (*arguments(name), *OURS)},
            "additionalProperties": False,
        }
        for name, found in EXPECTATIONS.items()
        if ("check", found.kind) in verbs
    } | {
        name: {
            "description": "Great Expectations answers it.",
            "type": "object",
            "properties": {key: {} for key in (*given, *OURS)},
            "additionalProperties": False,
        }
        for name, given in FOREIGN.items()
    }


def _named(description: str, item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": item,
    }


def _reference(group: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{group}.{name}"}


def _typed(group: str, verbs: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    return {"oneOf": [_reference(*key) for key in verbs if key[0] == group]}


def _single(group: str, verbs: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {key[1]: _reference(*key) for key in verbs if key[0] == group},
        "additionalProperties": False,
    }


def _used(definitions: Mapping[str, Any], verbs: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """The kinds' definitions under our names, and of pydantic's those that they refer to."""
    ours = {f"{group}.{name}": schema for (group, name), schema in verbs.items()}
    return {name: item for name, item in definitions.items() if name != "PipelineFile"} | ours
