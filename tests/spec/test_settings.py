"""The keys beside the verbs that decide how a pipeline is run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.spec.conftest import PIPELINE, Project


def test_times_are_given_for_all_tasks_or_one_by_one(project: Project) -> None:
    assert project.pipeline("timeout: 2h\n" + PIPELINE).timeout.task == timedelta(hours=2)
    timeout = project.pipeline("timeout: {run: 6h, task: 2h, load: 30m}\n" + PIPELINE).timeout
    assert (timeout.run, timeout.task, timeout.load, timeout.check) == (
        timedelta(hours=6),
        timedelta(hours=2),
        timedelta(minutes=30),
        None,
    )


def test_a_window_that_waits_for_the_one_before_runs_alone(project: Project) -> None:
    assert project.pipeline("depends_on_previous: true\n" + PIPELINE).max_active_windows == 1


def test_a_pool_is_a_name_or_a_name_and_slots(project: Project) -> None:
    short, whole = (project.pipeline(f"pool: {text}\n{PIPELINE}").pool for text in ("db", "{name: db, slots: 3}"))
    assert short is not None
    assert whole is not None
    assert (short.name, short.slots, whole.name, whole.slots) == ("db", 1, "db", 3)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("depends_on_previous: true\nmax_active_windows: 3", "2:21 conflicting-keys max_active_windows | 3 windows at"),
        ("execution: fused\ntimeout: {load: 1h}", "2:11 conflicting-keys timeout.load | execution is fused"),
        ("execution: fused\nresources: {check: {size: large}}", "2:13 conflicting-keys resources.check | execution"),
        ('owner_links: {me: "http://["}', "1:19 invalid-value owner_links.me | 'http://[' is no link"),
        ('schedule: {assets: [""]}', "invalid-value schedule.assets[0] | '' is no asset's name: it is blank"),
        ('schedule: {assets: [x, " "]}', "invalid-value schedule.assets[1] | ' ' is no asset's name: it is blank"),
        ("schedule: {assets: ['airflow://x']}", "the scheme airflow is Airflow's own"),
        ("schedule: {assets: [self]}", "'self' is no asset's name: Airflow keeps it for itself"),
        (f"schedule: {{assets: [{'x' * 1501}]}}", "it has 1501 characters, 1500 is the most"),
        ("schedule: {assets: ['http://[']}", "it is neither a name nor an address"),
        ("schedule: {every: 99999999d}", "a duration such as 30s, 15m, 2h, 1d or 1w, of 3660d at most"),
        ("timeout: 3661d", "of 3660d at most"),
        ("owner_links: {me: ftp://x}", "1:19 invalid-value owner_links.me | 'ftp://x' is no link"),
        ("owner_links: {me: 'javascript:alert(1)'}", "invalid-value owner_links.me | 'javascript:alert(1)' is no link"),
        ("resources: {size: huge}", "1:19 unknown-value resources.size | 'huge' is not"),
        ("resources: {executor_memory: 8}", "1:30 quote-needed resources.executor_memory | 8 is a number"),
        (
            "resources: {executors: 5, max_executors: 4}",
            "resources.max_executors | 5 executors to begin with, and 4 at",
        ),
        (
            "resources: {max_executors: 4, load: {executors: 5}}",
            "conflicting-keys resources.load.executors | 5 executors to begin with, and 4 at most",
        ),
        ("resources: {max_executors: 0}", "1:28 out-of-range resources.max_executors"),
        ("resources: {shuffle_partitions: many}", "resources.shuffle_partitions | 'many' stands where a whole number"),
        ("pool: {slots: 2}", "missing-key pool | key 'name' is missing"),
        ("priority: high", "1:11 wrong-type priority | 'high' stands where a whole number is wanted"),
        ("timeout: {runs: 1h}", "1:11 unknown-key timeout.runs | unknown key 'runs' | did you mean 'run'?"),
        ("timeout: 0s", "1:10 out-of-range timeout | '0s' is out of range"),
    ],
)
def test_what_can_not_be_is_told_at_its_place(project: Project, keys: str, said: str) -> None:
    told = project.told(f"{keys}\n{PIPELINE}")
    assert any(line.startswith(said) or said in line for line in told), told


def test_a_path_alone_says_where_data_docs_go(project: Project) -> None:
    made = project.pipeline(PIPELINE + 'data_docs: "${env.lake}/docs"\n')
    assert made.data_docs == project.pipeline(PIPELINE + 'data_docs: {path: "${env.lake}/docs"}\n').data_docs
    assert project.pipeline(PIPELINE + "data_docs:\n").data_docs is None
    outside = project.told(PIPELINE + "data_docs: /elsewhere\n")
    assert "data_docs" in outside[0]
    assert "roots" in outside[0]
