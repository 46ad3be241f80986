"""Given checks that ask and breakers that skip, when a pipeline can't bear them, then lint says so at their place."""

from __future__ import annotations

import pytest

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


def test_so_too_where_a_source_is_reached_by_a_store(project: Project) -> None:
    from tests.spec.conftest import ENVIRONMENT

    store = "stores:\n  s3a://raw: {connection: minio}\nbreakers: {minio: {when_open: skip}}\n"
    project.environment(ENVIRONMENT.replace("roots: [", "roots: [s3a://raw, ") + store)
    text = PIPELINE.replace("${env.raw}", "s3a://raw") + "depends_on_previous: true\n"
    assert "s3a://raw" in text
    [found] = project.told(text)
    assert "one that is skipped holds none back" in found
    assert "extract.orders" in found


@pytest.mark.parametrize("schedule", ["manual", "{assets: [orders.lake]}"])
def test_a_window_that_nothing_would_find_again_is_never_skipped(project: Project, schedule: str) -> None:
    text = BREAKS.replace('"@daily"', schedule).replace("start: 2013-01-01\n", "")
    windowed = text.replace("window: all", "window: {column: at}\n    settle: 0s")
    whole = text.replace("strategy: append", "strategy: snapshot")
    merged = text.replace("{strategy: append}", "{strategy: merge, keys: [id], sequence: at}")
    for safe in (whole, merged):
        assert project.told(safe) == [], "the next window brings it all"
    assert project.told(windowed.replace("strategy: append", "strategy: snapshot")) == []
    assert project.told(windowed.replace("skip", "fail")) == []
    for write in ("{strategy: append}", "{strategy: replace_window, column: at}"):
        [found] = project.told(text.replace("{strategy: append}", write))
        assert "nothing finds a skipped window" in found, "each window keeps rows of its own, all read or not"
    cut = merged.replace("- filter: amount > 0", "- sql: SELECT * FROM input WHERE at < ${window.end}")
    [found] = project.told(cut)
    assert "nothing finds a skipped window" in found, "a step leaves out other windows' rows"
    [found] = project.told(windowed)
    assert found.startswith("10:14 conflicting-keys extract.orders.breaker | nothing finds a skipped window of this")
    assert "when_open: fail" in found
    beside = "  others: {type: jdbc, connection: erp, table: others, window: {column: at}, settle: 0s}\ntransform:\n"
    found, _ = project.told(merged.replace("transform:\n", beside))
    assert "extract.orders.breaker | nothing finds a skipped window" in found, "the other source's window goes with it"
