"""What a pipeline waits for: everything wrong with it is told at its place, in one file and between files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.json_schema import json_schema
from airflow_provider_etl.spec.waits import across, of_window, values_of
from spark_jobs.errors import ConfigError
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project
from tests.spec.test_json_schema import read

WAITING = """wait_for:
  - file: ${env.raw}/orders/${window.key}.csv
  - file: {path: "${env.raw}/x/*.csv", stable: 2m, every: 10s, timeout: 6h, task: drop}
  - pipeline: flights
  - pipeline: {name: flights, window: {lookback: 1d}, by: airflow, load: lake, mode: reschedule}
  - table: {path: "${env.lake}/x", newer_than: 6h, on_timeout: skip}
  - http: {connection: api, path: "/s/${window.key}", expect: {status: [200, 204], json: {a: {b: "${window.key}"}}}}
  - http: http://status.example.com/${window.start:%Y}
  - sql: {connection: crm, query: "select max(at) >= ${window.end} from t where s = ${pipeline}"}
  - s3: s3://bucket/in/${window.key}/*.csv
"""
ROOTS = ENVIRONMENT.replace("roots: [data]", "roots: [data, s3a://bucket/in, http://status.example.com]")


def test_a_file_says_what_its_windows_wait_for(project: Project) -> None:
    project.environment(ROOTS)
    pipeline = project.pipeline(PIPELINE + WAITING)
    assert [(wait.task, wait.kind) for wait in pipeline.wait_for] == [
        ("wait_1", "file"),
        ("wait_drop", "file"),
        ("wait_3", "pipeline"),
        ("wait_4", "pipeline"),
        ("wait_5", "table"),
        ("wait_6", "http"),
        ("wait_7", "http"),
        ("wait_8", "sql"),
        ("wait_9", "s3"),
    ]
    window = pipeline.window_of("2013-01-02")
    found = [of_window(wait, pipeline, window) for wait in pipeline.wait_for]
    assert found[0].path == f"{project.folder}/data/raw/orders/2013-01-02.csv"
    assert found[5].path == "/s/2013-01-02"
    assert found[5].expect.json == {"a": {"b": "2013-01-02"}}
    assert found[6].url == "http://status.example.com/2013"
    assert found[7].query == "select max(at) >= ${window.end} from t where s = ${pipeline}", "bound, not pasted"
    assert found[8].key == "s3://bucket/in/2013-01-02/*.csv"
    assert values_of(pipeline)["pipeline"] == "orders"
    assert values_of(project.pipeline(f"{PIPELINE}id: sales\n{WAITING}"))["pipeline"] == "sales"


def test_what_is_waited_for_doesnt_decide_the_rows(project: Project) -> None:
    project.environment(ROOTS)
    assert project.pipeline(PIPELINE + WAITING).fingerprint == project.pipeline().fingerprint


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        ("fil: data/x", "20:5 unknown-kind wait_for[0].fil | unknown condition 'fil' | did you mean 'file'?"),
        ("file: {pth: data/x}", "20:12 unknown-key wait_for[0].file.pth | unknown key 'pth' | did you mean 'path'?"),
        ("file: {}", "20:5 missing-key wait_for[0].file | key 'path' is missing"),
        ("file: {path: data/x, stable: 2}", "20:34 wrong-type wait_for[0].file.stable | '2' is not a duration"),
        ("file: {path: data/x, every: 2d}", "20:33 wait-too-short wait_for[0].file.every | every is longer than time"),
        ("file: {path: data/x, stable: 2h, timeout: 1h}", "20:34 wait-too-short wait_for[0].file.stable"),
        ("file: {path: data/x, every: 0s}", "20:33 out-of-range wait_for[0].file.every"),
        ("file: {path: data/x, on_timeout: stop}", "20:38 unknown-value wait_for[0].file.on_timeout"),
        ("file: {path: data/x, mode: deferable}", "20:32 unknown-value wait_for[0].file.mode"),
        ("file: {path: data/x, task: a-b}", "20:32 invalid-value wait_for[0].file.task"),
        ("file: /etc/passwd", "20:11 path-outside-roots wait_for[0].file"),
        ("file: data/../secret", "20:11 path-outside-roots wait_for[0].file"),
        ('file: "data/{a,b}.csv"', "20:11 invalid-value wait_for[0].file"),
        ('file: "data/${windo.key}"', "20:17 unknown-variable wait_for[0].file"),
        ("s3: s3://other/x", "20:9 path-outside-roots wait_for[0].s3"),
        ("http: http://169.254.169.254/latest", "20:11 path-outside-roots wait_for[0].http"),
        ("http: {url: http://status.example.com.evil/x}", "20:17 path-outside-roots wait_for[0].http.url"),
        ("http: {path: /x}", "20:5 invalid-value wait_for[0].http | an address is wanted once"),
        ("http: {connection: a, method: POST}", "20:35 unknown-value wait_for[0].http.method"),
        ("table: /elsewhere", "20:12 path-outside-roots wait_for[0].table"),
        ("table: {path: data/x, newer_than: window.stop}", "20:39 unknown-value wait_for[0].table.newer_than"),
        ("pipeline: orders", "20:15 wait-cycle wait_for[0].pipeline | orders waits for itself"),
        ("pipeline: {name: orders}", "20:22 wait-cycle wait_for[0].pipeline.name"),
        ("pipeline: {name: x, window: {lookbak: 1d}}", "20:34 unknown-key wait_for[0].pipeline.window.lookbak"),
        ("pipeline: {name: x, window: before}", "20:33 unknown-value wait_for[0].pipeline.window"),
        ("sql: {query: select 1}", "20:5 missing-key wait_for[0].sql | key 'connection' is missing"),
        ("sql: {connection: a, query: delete from t}", "20:33 query-statement wait_for[0].sql.query"),
        ("sql: {connection: a, query: \"select '${window.key}'\"}", "20:33 variable-quoted wait_for[0].sql.query"),
        ('sql: {connection: a, query: "select ${env.nothing}"}', "20:41 unknown-variable wait_for[0].sql.query"),
        ('sql: {connection: "${env.raw}", query: select 1}', "20:24 variable-misplaced wait_for[0].sql.connection"),
        ("{}", "20:5 one-key wait_for[0]"),
        ("file", "20:5 wrong-type wait_for[0]"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(project: Project, wait: str, told: str) -> None:
    project.environment(ROOTS)
    found = project.told(f"{PIPELINE}wait_for:\n  - {wait}\n")
    assert len(found) == 1, found
    assert found[0].startswith(told), found


def test_a_key_that_is_no_list_and_two_tasks_of_a_name(project: Project) -> None:
    told = project.told(f"{PIPELINE}wait_for: {{file: data/x}}\n")
    assert told[0].startswith("19:11 wrong-type wait_for | a mapping stands where a list of conditions is wanted")
    same = "wait_for:\n  - file: {path: data/x, task: a}\n  - file: {path: data/y, task: A}\n"
    assert project.told(PIPELINE + same)[0].startswith("21:32 name-clash wait_for[1].file.task | two conditions make")


def test_a_parameter_is_held_to_the_roots_when_it_is_known(project: Project) -> None:
    text = f"{PIPELINE}params: {{where: {{type: string, default: in}}}}\nwait_for:\n  - file: data/${{param.where}}/x\n"
    pipeline = project.pipeline(text)
    window = pipeline.window_of("2013-01-01")
    assert of_window(pipeline.wait_for[0], pipeline, window).path == f"{project.folder}/data/in/x"
    other = pipeline.with_params({"where": "../../etc"})
    with pytest.raises(ConfigError, match=r"orders: wait_1: '.*/etc/x' leads to .*outside the roots"):
        of_window(other.wait_for[0], other, window)


@pytest.mark.parametrize(
    ("wait", "valid"),
    [
        ("file: data/x", True),
        ("pipeline: {name: flights, window: {lookback: 1d}}", True),
        ("http: {connection: a, expect: {status: [200], json: {a: 1}}}", True),
        ("fil: data/x", False),
        ("file: {pth: data/x}", False),
        ("file: {path: data/x, every: soon}", False),
        ("pipeline: {name: flights, window: before}", False),
        ("{file: data/x, table: data/y}", False),
    ],
)
def test_the_schema_judges_as_lint_does(wait: str, valid: bool) -> None:
    text = f"{PIPELINE}wait_for:\n  - {wait}\n"
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(read(text)) is valid


# -- between files -----------------------------------------------------------------------------------------------


def waiting_for(*names: str) -> str:
    return f"{PIPELINE}wait_for:\n" + "".join(f"  - pipeline: {name}\n" for name in names)


def linted(project: Project, capsys: pytest.CaptureFixture[str], *names: str) -> list[dict[str, Any]]:
    paths = [str(project.folder / "dags" / f"{name}.yaml") for name in names] or [str(project.folder / "dags")]
    main(["lint", *paths, "--format", "json"])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return [item for item in found if item["code"] != "destination-shared"]


def test_in_a_folder_every_name_must_be_a_files(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(PIPELINE, "flights.yaml")
    project.write(waiting_for("flihgts"), "orders.yaml")
    [told] = linted(project, capsys)
    assert (told["code"], told["line"], told["column"], told["key"]) == (
        "unknown-pipeline",
        20,
        15,
        "wait_for[0].pipeline",
    )
    assert "did you mean 'flights'?" in told["hint"]
    assert linted(project, capsys, "orders") == [], "of one file alone nobody knows what stands beside it"
    anywhere = "wait_for:\n  - pipeline: {name: somebody_elses, by: airflow, window: same}\n"
    project.write(PIPELINE + anywhere, "orders.yaml")
    assert linted(project, capsys) == []


def test_a_load_that_the_other_one_lacks(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(PIPELINE, "flights.yaml")
    project.write(f"{PIPELINE}wait_for:\n  - pipeline: {{name: flights, load: lak}}\n", "orders.yaml")
    [told] = linted(project, capsys)
    assert (told["code"], told["message"]) == ("unknown-load", "pipeline flights has no load 'lak'")


def test_a_circle_is_told_in_every_file_of_it_and_nowhere_else(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, others in {"a": ["b"], "b": ["d", "c"], "c": ["a"], "d": [], "e": ["a"]}.items():
        project.write(waiting_for(*others) if others else PIPELINE, f"{name}.yaml")
    told = {item["path"].rpartition("/")[2]: item["message"] for item in linted(project, capsys)}
    assert told == {
        "a.yaml": "pipelines wait for each other in a circle: a -> b -> c -> a",
        "b.yaml": "pipelines wait for each other in a circle: b -> c -> a -> b",
        "c.yaml": "pipelines wait for each other in a circle: c -> a -> b -> c",
    }


def test_a_file_with_errors_takes_part(project: Project) -> None:
    broken = waiting_for("b").replace("schedule:", "schedul:")
    files = [load_file(project.write(broken, "a.yaml")), load_file(project.write(waiting_for("a"), "b.yaml"))]
    assert files[0].pipeline is None
    assert [item.code for item in across(files, whole=True)] == ["wait-cycle", "wait-cycle"]


def test_the_page_s_example_lints(project: Project) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/waits.md").read_text(encoding="utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    project.environment(ENVIRONMENT.replace("roots: [data]", "roots: [data, s3a://drops]"))
    assert project.told(PIPELINE + example) == []
    assert len(project.pipeline(PIPELINE + example).wait_for) == 8
