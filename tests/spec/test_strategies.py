"""A strategy that a destination can't keep is refused with the nearest that it can."""

from __future__ import annotations

import pytest

from airflow_provider_etl.spec.strategies import NEAREST, kept_by
from tests.spec.conftest import PIPELINE, Project
from tests.spec.test_catalogue import Merging

MERGE = PIPELINE.replace("type: delta\n    path: ${env.lake}/orders", "type: merging")


def test_delta_keeps_what_its_classes_say() -> None:
    assert kept_by("delta") == ("replace_window", "append", "snapshot", "merge", "scd2", "cdc")
    assert kept_by("nosuch") == ()


@pytest.mark.parametrize("strategy", sorted(set(NEAREST) - {"merge"}))
def test_a_strategy_of_the_language_that_the_destination_has_not(
    project: Project, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _register(monkeypatch)
    told = project.told(MERGE.replace("strategy: append", f"strategy: {strategy}"))
    assert [line.split(" |")[0] for line in told] == ["17:23 strategy-unsupported load.lake.write.strategy"]
    assert "the nearest one is merge" in told[0]


def _register(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_etl.spec.verbs import REGISTRIES

    target = f"{Merging.__module__}:Merging"
    monkeypatch.setitem(REGISTRIES["load"], "merging", target)  # type: ignore[arg-type]


def test_a_strategy_that_nobody_has_is_an_unknown_value(project: Project) -> None:
    assert project.told(PIPELINE.replace("strategy: append", "strategy: apend"))[0].startswith("18:23 unknown-value")


def test_a_merge_says_which_row_is_the_newest(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _register(monkeypatch)
    bare = MERGE.replace("strategy: append", "strategy: merge")
    assert [line.split(" |")[0] for line in project.told(bare)] == ["17:5 merge-without-sequence load.lake.write"]
    assert project.told(bare.replace("merge}", "merge, sequence: [at]}")) == []
    assert project.told(bare + "depends_on_previous: true\n") == []


def test_a_merge_that_updates_some_columns_needs_windows_in_order(project: Project) -> None:
    some = PIPELINE.replace("strategy: append", "strategy: merge, keys: [id], sequence: at, update: [amount]")
    assert any(" update-needs-order load.lake.write.update" in line for line in project.told(some))
    assert not any("update-needs-order" in line for line in project.told(some + "depends_on_previous: true\n"))


@pytest.mark.parametrize(
    ("write", "told"),
    [
        ("strategy: merge, keys: []", "write.keys: there is no key"),
        ("strategy: merge, keys: [id], sequence: id", "sequence: 'id' is a key too"),
        ("strategy: scd2, keys: [id], valid_from: id", "valid_from: it is a key"),
        ("strategy: cdc, keys: [id], sequence: at, operation: op, before: b", "after: before and after go together"),
        ("strategy: cdc, keys: [id], sequence: at, operation: op, history: scd2", "valid_from: history: scd2 needs it"),
    ],
)
def test_options_of_a_strategy_that_cannot_go_together(project: Project, write: str, told: str) -> None:
    found = [line for line in project.told(PIPELINE.replace("strategy: append", write)) if "option-conflict" in line]
    assert len(found) == 1, found
