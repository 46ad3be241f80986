"""What `shape` accepts pydantic accepts, and a third party's own constraints are told at their place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, StringConstraints

from airflow_provider_etl.spec import gate
from airflow_provider_etl.spec.class_plan import plan_of
from airflow_provider_etl.spec.described import Described
from airflow_provider_etl.spec.verbs import REGISTRIES
from spark_jobs import kinds
from spark_jobs.errors import ConfigError
from tests.spec.conftest import PIPELINE, Project

KINDS = [(group, name) for group, registry in REGISTRIES.items() for name in registry]
# What class_plan, fitting and bounds look at, and what has nothing to say about a value.
KNOWN = {
    "alias",
    "ge",
    "le",
    "pattern",
    "min_length",
    "expression",
    "query",
    "column",
    "connection",
    "substitute",
    "path",
    "dataset",
    "root",
    "description",
}
KNOWN |= {"directed", "distinct", "column_of", "shared_with", "fields"}  # what spec/columns looks at
KNOWN |= {"aggregate", "function", "connection"}  # spec/sql_order.py, spec/python_steps.py, hooks/connections.py
KNOWN |= {"upkeep"}  # spec/pipeline.py: no part of the fingerprint
KNOWN |= {"catalog", "another"}  # spec/catalogs.py, spec/rules.py


@pytest.mark.parametrize(("group", "name"), KINDS)
def test_our_own_kinds_use_only_what_shape_knows(group: str, name: str) -> None:
    kind = kinds.find(REGISTRIES[group], name, group)
    for option in plan_of(kind).fields.values():
        assert set(option.metadata) <= KNOWN
        assert "Annotated" not in str(option.hint)
    assert kind.__pydantic_config__ == kinds.PYDANTIC
    assert gate.adapter(kind).json_schema(schema_generator=Described)["additionalProperties"] is False


def test_pydantic_takes_every_kind_of_a_pipeline_that_uses_them(project: Project) -> None:
    text = PIPELINE.replace(
        "  - filter: amount > 0\n",
        "  - clean: {trim: all}\n  - cast: {a: int}\n  - rename: {a: b}\n  - derive: {a: b + 1}\n"
        "  - dedupe: {keys: [a], order_by: [b]}\n  - select: [a, b, id]\n  - drop: [b]\n  - filter: a > 1\n"
        "  - aggregate: {by: [a, id], values: {n: count(*)}}\n  - sql: SELECT * FROM input\n",
    ).replace("[id]", "{columns: [id], mostly: 1, on_fail: quarantine}\n  - in_range: {column: a, min: 1, max: 2.5}")
    pipeline = project.pipeline(text)
    found = [kind for dataset in pipeline.transform.values() for _, kind in dataset.steps]
    found += [kind for checks in pipeline.check.values() for _, kind in checks]
    found += [*pipeline.extract.values(), *(kind for _, kind in pipeline.load.values())]
    assert len(found) == 14
    for kind in found:
        assert gate.adapter(type(kind)).validate_python(kind) == kind


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """A third party's step."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = kinds.PYDANTIC

    colour: Annotated[str, StringConstraints(pattern="^#")]
    """A constraint that only pydantic knows."""
    sizes: dict[str, Annotated[int, Field(multiple_of=8)]] = field(default_factory=dict)
    """Another one, deep inside."""
    level: int = 1
    """One that the class checks itself."""

    def __post_init__(self) -> None:
        """Refuse what doesn't fit together."""
        if self.level > 3:
            raise ConfigError(f"level {self.level}", expected="at most 3", remedy="lower it")
        if self.level < 0:
            raise ValueError("a negative level")


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRIES["transform"], "stranger", f"{__name__}:Stranger")  # type: ignore[arg-type]


def lint(project: Project, options: str) -> list[str]:
    told = project.told(PIPELINE.replace("filter: amount > 0", f"stranger: {options}"))
    return [line.split(" |")[0] + " | " + line.split(" | ")[1] for line in told]


@pytest.mark.usefixtures("stranger")
def test_a_strangers_constraints_are_told_at_their_place(project: Project) -> None:
    assert lint(project, '{colour: "#fff", sizes: {a: 8}}') == []
    (colour, size) = lint(project, "{colour: red, sizes: {a: 8, b: 9}}")
    assert colour.startswith("11:24 invalid-value transform[1].stranger.colour | ")
    assert size.startswith("11:46 invalid-value transform[1].stranger.sizes.b | ")
    assert "multiple of 8" in size


@pytest.mark.usefixtures("stranger")
def test_what_a_kind_refuses_itself_is_told_at_its_key(project: Project) -> None:
    assert lint(project, '{colour: "#f", level: 4}') == ["11:5 invalid-value transform[1].stranger | level 4"]
    assert lint(project, '{colour: "#f", level: -1}') == ["11:5 invalid-value transform[1].stranger | a negative level"]


def test_a_kind_that_cannot_be_imported_is_told_and_nothing_else_fails(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REGISTRIES["transform"], "broken", "no.such.module:Kind")  # type: ignore[arg-type]
    told = project.told(PIPELINE.replace("filter: amount > 0", "broken: {}"))
    assert [line.split(" |")[0] for line in told] == ["11:5 kind-broken transform[1].broken"]


def test_every_shipped_kind_is_frozen_keyword_only_and_documented() -> None:
    for group, name in KINDS:
        kind = kinds.find(REGISTRIES[group], name, group)
        assert kind.__dataclass_params__.frozen
        assert all(item.kw_only for item in dataclasses.fields(kind))
        schema = gate.adapter(kind).json_schema(schema_generator=Described)
        assert all(option.get("description") for option in schema["properties"].values()), (group, name)
