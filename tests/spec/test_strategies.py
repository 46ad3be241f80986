"""A strategy that a destination can't keep is refused with the nearest that it can."""

from __future__ import annotations

import pytest

from airflow_provider_etl.spec.strategies import NEAREST, kept_by
from tests.spec.conftest import PIPELINE, Project
from tests.spec.test_catalogue import Merging

MERGE = PIPELINE.replace("type: delta\n    path: ${env.lake}/orders", "type: merging")


def test_delta_keeps_what_its_classes_say() -> None:
    assert kept_by("delta") == ("replace_window", "append", "snapshot")
    assert kept_by("nosuch") == ()


@pytest.mark.parametrize("strategy", sorted(set(NEAREST) - {"replace_window", "append", "snapshot"}))
def test_a_strategy_of_the_language_that_the_destination_has_not(project: Project, strategy: str) -> None:
    (told,) = project.told(PIPELINE.replace("strategy: append", f"strategy: {strategy}, keys: [id]"))
    assert told.startswith("18:23 strategy-unsupported load.lake.write.strategy")
    near = next(name for name in NEAREST[strategy] if name in kept_by("delta"))
    assert f"the nearest one is {near}" in told


def test_a_strategy_that_nobody_has_is_an_unknown_value(project: Project) -> None:
    assert project.told(PIPELINE.replace("strategy: append", "strategy: apend"))[0].startswith("18:23 unknown-value")


def test_a_merge_says_which_row_is_the_newest(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_etl.spec.verbs import REGISTRIES

    target = f"{Merging.__module__}:Merging"
    monkeypatch.setitem(REGISTRIES["load"], "merging", target)  # type: ignore[arg-type]
    bare = MERGE.replace("strategy: append", "strategy: merge")
    assert [line.split(" |")[0] for line in project.told(bare)] == ["17:5 merge-without-sequence load.lake.write"]
    assert project.told(bare.replace("merge}", "merge, sequence: [at]}")) == []
    assert project.told(bare + "depends_on_previous: true\n") == []
