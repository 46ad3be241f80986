"""Given checks that ask and breakers that skip, when a pipeline can't bear them, then lint says so at their place."""

from __future__ import annotations

from tests.spec.conftest import PIPELINE, Project

ASKS = PIPELINE.replace("- not_null: [id]", "- not_null: {columns: [id], on_fail: ask}")
SOURCE = """\
    type: jdbc
    connection: crm
    table: orders
    window: all
"""
BREAKS = PIPELINE.replace(
    PIPELINE[PIPELINE.index("    type: files") : PIPELINE.index("transform:")],
    SOURCE + "    breaker: {when_open: skip}\n",
)


def test_a_check_that_asks_needs_a_staged_run(project: Project) -> None:
    assert project.told(ASKS) == []
    fused = project.told(ASKS + "execution: fused\n")
    assert len(fused) == 1
    assert "check and load are one task, and nobody can be asked between them" in fused[0]
    assert "execution: staged" in fused[0]
    assert fused[0].startswith("13:40 conflicting-keys check[0].not_null.on_fail |")


def test_windows_that_wait_for_the_one_before_are_never_skipped(project: Project) -> None:
    assert project.told(BREAKS) == []
    ordered = "depends_on_previous: true\n"
    found = project.told(BREAKS + ordered)
    assert len(found) == 1
    assert "one that is skipped holds none back" in found[0]
    assert project.told(BREAKS.replace("skip", "fail") + ordered) == []


def test_so_too_where_the_environment_says_it(project: Project) -> None:
    from tests.spec.conftest import ENVIRONMENT

    project.environment(ENVIRONMENT + "breakers: {crm: {when_open: skip}}\n")
    text = BREAKS.replace("    breaker: {when_open: skip}\n", "") + "depends_on_previous: true\n"
    assert "one that is skipped holds none back" in project.told(text)[0]
