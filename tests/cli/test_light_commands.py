"""`lint`, `schema`, `explain` and `plan`: what they print, how they end, and what they don't import."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import typing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from airflow_provider_etl.cli.main import COMMANDS, main
from airflow_provider_etl.spec import Diagnostic
from spark_jobs.extract.files import Files
from spark_jobs.plan import VERBS, Plan
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

ROOT = Path(__file__).resolve().parents[2]
FORMATS = " or ".join(typing.get_args(typing.get_type_hints(Files)["format"]))
CSV, NO = "did you mean 'csv'?", "no alias here"
BROKEN = PIPELINE.replace("format: csv", "format: cvs").replace("amount > 0", "a b")


def out(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_lint_tells_every_diagnostic_and_ends_with_1(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = project.write(BROKEN)
    code, told, _ = out(capsys, "lint", str(path))
    assert code == 1
    assert told.splitlines() == [
        f"{path}:8:13: error[unknown-value]: extract.orders.format: 'cvs' is not {FORMATS}; " + CSV,
        f"{path}:11:15: error[expression-many]: transform[1].filter: one expression is wanted, 'b' is left over; " + NO,
        "1 file: 2 errors, 0 warnings",
    ]
    assert out(capsys, "lint", str(project.write(PIPELINE)))[0] == 0


def test_lint_as_json_is_a_list_of_flat_objects(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = project.write(BROKEN)
    code, told, _ = out(capsys, "lint", str(path), "--format", "json")
    found = json.loads(told)
    assert code == 1
    assert [set(item) for item in found] == [
        {"path", "line", "column", "code", "severity", "key", "message", "hint"}
    ] * 2
    assert (found[0]["path"], found[0]["line"], found[0]["column"]) == (str(path), 8, 13)
    assert json.loads(out(capsys, "lint", str(project.write(PIPELINE)), "--format", "json")[1]) == []


def test_lint_for_github_escapes_what_the_runner_reads(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = project.write(PIPELINE.replace("${window.start:%Y-%m-%d}", "${window.start:%Q}"), "a,b.yaml")
    code, told, _ = out(capsys, "lint", str(path), "--format", "github")
    lines = told.splitlines()
    assert code == 1
    assert lines[0].startswith("::error file=")
    assert "a%2Cb.yaml,line=1,col=1,title=invalid-name::" in lines[0]
    assert "'%25Q' is no format" in lines[1]


def test_lint_of_folders_finds_the_files_and_clashing_ids(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(PIPELINE, "a/orders.yaml")
    second = project.write(PIPELINE, "b/orders.yml")
    project.write("broken: [", "b/.hidden.yaml")
    project.write("broken: [", "b/orders.test.yaml")
    code, told, _ = out(capsys, "lint", str(project.folder / "dags"), str(second))
    assert code == 1
    assert told.splitlines()[0].startswith(f"{second}:1:1: error[duplicate-dag]: DAG id 'orders' is taken by ")
    assert told.splitlines()[1:] == ["2 files: 1 error, 0 warnings"]


def test_a_folder_without_pipelines_is_an_error(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = out(capsys, "lint", str(project.folder / "config/environments"), str(project.folder / "airflow"))
    assert code == 1  # an environment is no pipeline, and the other folder isn't there
    (project.folder / "empty").mkdir()
    code, told, _ = out(capsys, "lint", str(project.folder / "empty"))
    assert code == 1
    assert "error[no-files]" in told


def test_a_warning_alone_ends_with_0(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    text = PIPELINE.replace("transform:", "  x: {type: files, path: data/x, format: csv, window: all}\ntransform:")
    code, told, _ = out(capsys, "lint", str(project.write(text)))
    assert code == 0
    assert told.splitlines()[-1] == "1 file: 0 errors, 1 warning"


@pytest.mark.parametrize("place", ["before", "after", "both"])
def test_the_environment_may_be_given_before_and_after_the_command(
    project: Project, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    project.environment(ENVIRONMENT.replace("data/raw", "data/prod"), "prod")
    path = str(project.write(PIPELINE))
    before = ["--environment", "prod"] if place == "before" else ["--environment", "local"] if place == "both" else []
    after = ["--environment=prod"] if place != "before" else []
    code, told, _ = out(capsys, *before, "plan", path, "--window", "2013-01-01", *after)
    assert code == 0
    assert json.loads(told)[0]["extract"]["orders"]["path"].endswith("/data/prod/orders/2013-01-01.csv")


def test_plan_prints_one_plan_per_application(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = out(capsys, "plan", str(project.write(PIPELINE)), "--window", "2013-01-01/2013-01-02")
    assert code == 0
    staged = [Plan.from_json(item) for item in json.loads(told)]
    assert [plan.verbs for plan in staged] == [(verb,) for verb in VERBS]
    assert len({plan.attempt for plan in staged}) == 1
    _, told, _ = out(capsys, "plan", str(project.write(PIPELINE + "execution: fused\n")), "--window", "2013-01-01")
    (fused,) = [Plan.from_json(item) for item in json.loads(told)]
    assert (fused.verbs, fused.window.key) == (VERBS, "2013-01-01")
    assert fused.attempt.number & 0xFFFFF == int(fused.fingerprint[:5], 16)


@pytest.mark.parametrize("command", ["plan", "explain"])
def test_a_bad_file_or_window_ends_with_2_and_says_why(
    project: Project, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    path = str(project.write(BROKEN))
    code, told, why = out(capsys, command, path, "--window", "2013-01-01")
    assert (code, told) == (2, "")
    assert len(why.splitlines()) == 2
    code, told, why = out(capsys, command, str(project.write(PIPELINE)), "--window", "2013-01-01T07:00")
    assert (code, told) == (2, "")
    assert "no window of the schedule starts at 2013-01-01T07:00:00+00:00" in why


def test_explain_tells_graph_windows_and_promises(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    text = PIPELINE.replace("start: 2013-01-01", "timezone: America/New_York\nstart: 2013-01-01")
    code, told, _ = out(capsys, "explain", str(project.write(text)), "--from", "2013-03-08")
    assert code == 0
    lines = told.splitlines()
    assert lines[0] == "orders: Orders, one day a window"
    graph = lines.index("graph")
    assert lines[graph + 1 : graph + 6] == [
        "  orders  files csv data/raw/orders/${window.start:%Y-%m-%d}.csv, one path a window",
        "  └─ result",
        "     ├─ step   filter amount > 0",
        "     ├─ check  not_null [id]",
        "     └─ load   lake: delta data/lake/orders by append",
    ]
    sunday = "  2013-03-10  Sun 00:00-0500 .. Mon 2013-03-11 00:00-0400  23 h* 2013-03-10T05:00Z/2013-03-11T04:00Z"
    assert sunday in lines
    assert sum(" h  2013-03-" in line or " h* 2013-03-" in line for line in lines) == 7
    assert "lake: append: rows carry their pipeline and window; a repeat replaces its own rows" in told
    assert [line.split()[1] for line in lines if line.startswith(("    a ", "    the "))] == [
        "repeat",
        "order",
        "crash",
    ]
    assert max(len(line) for line in lines if str(project.folder) not in line) <= 100
    _, told, _ = out(capsys, "explain", str(project.write(text)), "--window", "2013-03-10")
    assert told.count("2013-03-10T05:00Z/2013-03-11T04:00Z") == 1
    assert "unit etl:orders:lake:2013-03-10T05:00:00Z/2013-03-11T04:00:00Z" in told


def test_explain_tells_which_rows_of_a_shared_table_are_this_pipelines(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    scoped = PIPELINE.replace("    write: {strategy: append}", "    write: {strategy: append}\n    scope: {region: eu}")
    assert scoped != PIPELINE
    _, told, _ = out(capsys, "explain", str(project.write(scoped)))
    assert "the scope {region: eu}: only such rows are this pipeline's" in " ".join(told.split())


def test_a_change_stream_that_keeps_histories_promises_what_histories_do(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = "strategy: cdc, keys: [id], sequence: amount, operation: op, history: scd2, valid_from: amount"
    _, told, _ = out(capsys, "explain", str(project.write(PIPELINE.replace("strategy: append", stream))))
    assert "the history of a key is a function of the set of its events" in " ".join(told.split())
    assert "the histories of their keys are made anew" in " ".join(told.split())


def test_explain_begins_now_where_nobody_says_otherwise(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC).date()
    _, told, _ = out(capsys, "explain", str(project.write(PIPELINE)))
    keys = [line.split()[0] for line in told.splitlines() if re.match(r"  \d{4}-\d\d-\d\d  ", line)]
    assert len(keys) in (6, 7)  # the day that has begun is no window of the next seven days
    assert keys == sorted(keys)
    assert before <= date.fromisoformat(keys[0]) <= before + timedelta(days=2)


@pytest.mark.parametrize(
    ("change", "said", "windows"),
    [
        (("start: 2013-01-01", "start: 2013-01-01\nend: 2013-02-01"), "none after 2013-02-01, the schedule's end", 7),
        (("start: 2013-01-01", "start: 2150-01-01"), "none before 2150-01-01T00:00+00:00, the schedule's start", 7),
        (('"@daily"', '"@monthly"'), "none lies whole in the next 7 days; the next one is", 1),
        (('"@daily"', "{every: 15m}"), "the 7 days from ", 10),
    ],
)
def test_explain_says_why_a_week_has_no_windows(
    project: Project, capsys: pytest.CaptureFixture[str], change: tuple[str, str], said: str, windows: int
) -> None:
    path = str(project.write(PIPELINE.replace(*change)))
    code, told, _ = out(capsys, "explain", path)
    assert code == 0
    assert said in told
    assert len([line for line in told.splitlines() if re.search(r" (h|h\*) +\d{4}-", line)]) == windows


def test_a_week_with_very_many_windows_shows_those_over_a_change_of_the_clock(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PIPELINE.replace("@daily", "@hourly").replace("start: 2013", "timezone: America/New_York\nstart: 2013")
    _, told, _ = out(capsys, "explain", str(project.write(text)), "--from", "2013-03-08")
    assert "  … 158 more, among them those over a change of the clock\n  2013-03-10T0100  " in told


def test_explain_draws_the_graph_for_documents(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = out(capsys, "explain", str(project.write(PIPELINE)), "--format", "mermaid")
    assert code == 0
    assert told.splitlines() == [
        "flowchart LR",
        '  d0[("orders<br/>files")]',
        '  d1["result<br/>filter"]',
        "  d0 --> d1",
        '  cd1{{"1 checks"}}',
        "  d1 --> cd1",
        '  l0[("lake<br/>delta, append")]',
        "  cd1 --> l0",
    ]


def test_explain_shows_who_else_reads_a_source() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "airflow_provider_etl.cli.main", "explain", "dags/pipelines/flights.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "  ├─ read by result in join\n  └─ read by the checks of result in references\n" in told
    assert max(len(line) for line in told.splitlines()) <= 100


def test_explain_says_which_windows_are_left_out_and_why(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    skip = (
        "skip_if: {weekdays: [sunday], missing: '${env.raw}/${window.key}/_READY'}\ndepends_on_previous: true\nextract:"
    )
    path = str(project.write(PIPELINE.replace("extract:", skip)))
    _, told, _ = out(capsys, "explain", path, "--from", "2013-03-08")
    lines = told.splitlines()
    (sunday,) = [place for place, line in enumerate(lines) if line.startswith("  2013-03-10  Sun")]
    assert lines[sunday + 1].startswith("    left out: ")
    assert "unday" in lines[sunday + 1]
    assert told.count("    left out: ") == 1
    assert "  left out where nothing is at data/raw/${window.key}/_READY" in lines
    assert "  a window runs only after the one before it has succeeded" in lines


def test_explain_from_is_a_date(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, why = out(capsys, "explain", str(project.write(PIPELINE)), "--from", "tomorrow")
    assert code == 2
    assert "--from 'tomorrow' is not a date" in why


def test_explain_tells_what_is_waited_for(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    waits = (
        "wait_for:\n  - file: {path: data/x, stable: 2m, task: drop}\n"
        "  - pipeline: {name: flights, every: 5m, timeout: 6h, on_timeout: skip}\n"
    )
    code, told, _ = out(capsys, "explain", str(project.write(PIPELINE + waits)))
    assert code == 0
    lines = told.splitlines()
    begin = lines.index("waits, side by side, before anything is read")
    assert lines[begin + 1 : begin + 5] == [
        "  wait_drop: file data/x, unchanged for 2 min",
        "    asked every 1 min, 1 d at most: then the run fails",
        "  wait_2: pipeline flights: its windows over this one, by ledger",
        "    asked every 5 min, 6 h at most: then the run is skipped",
    ]


def test_explain_of_a_manual_pipeline_says_where_windows_come_from(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(project.write(PIPELINE.replace('"@daily"', "manual")))
    assert "none of its own" in out(capsys, "explain", path)[1]


def test_schema_is_json_schema_2020_12(capsys: pytest.CaptureFixture[str]) -> None:
    for more in ([], ["--tests"]):
        code, told, _ = out(capsys, "schema", *more)
        assert code == 0
        jsonschema.Draft202012Validator.check_schema(json.loads(told))


def test_every_rule_is_told_in_every_format(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    text = PIPELINE.replace("format: csv", "format: csv\n    new_columns: freeze\n    columns: {id: {type: int}}")
    path = project.write(f"{text}# key AKIA{'X' * 16}\n")
    column, secret = out(capsys, "lint", str(path), "--format", "github")[1].splitlines()
    place = f"::error file={path},line=13,col=13,title=unknown-column::transform[1].filter: "
    assert column == f"{place}there is no column 'amount'; there are: id"
    assert secret.startswith(f"::error file={path},line=21,col=7,title=secret::this looks like an AWS access key id; ")
    told = json.loads(out(capsys, "lint", str(path), "--format", "json")[1])
    assert [(item["code"], item["severity"]) for item in told] == [("unknown-column", "error"), ("secret", "error")]


def test_lint_explains_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = out(capsys, "lint", "--explain", "relative-date")
    assert code == 0
    assert all(word in told for word in ("### relative-date", "start: yesterday", "start: 2013-01-01"))
    code, _, why = out(capsys, "lint", "--explain", "relativ-date")
    assert code == 2
    assert "did you mean 'relative-date'?" in why


def test_every_command_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert all(name in told for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["nosuch"], ["lint"], ["plan", "x.yaml"], ["lint", "x", "--format", "xml"]])
def test_bad_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: airflow-etl" in capsys.readouterr().err


def test_a_file_named_like_a_command_is_a_file(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(PIPELINE, "plan")
    monkeypatch.chdir(project.folder / "dags")
    assert out(capsys, "lint", "plan")[0] == 0
    assert out(capsys, "--environment", "local", "lint", "plan")[0] == 0
    project.environment(ENVIRONMENT, "plan")
    assert out(capsys, "--environment", "plan", "lint", "plan")[0] == 0


CHILD = """
import sys
from airflow_provider_etl.cli.main import main
code = main(sys.argv[1:])
heavy = sorted({name.partition(".")[0] for name in sys.modules} & {"airflow", "pyspark", "delta", "deltalake", "pandas",
    "pyarrow", "numpy", "great_expectations"})
print("HEAVY", heavy, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("command", ["lint", "schema", "explain", "plan", "new"])
def test_light_commands_import_neither_airflow_nor_spark_and_answer_within_a_second(
    command: str, tmp_path: Path
) -> None:
    file = [] if command == "schema" else ["dags/pipelines/flights.yaml"]
    window = ["--window", "2013-01-01"] if command == "plan" else []
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": "/nonexistent"}
    seconds = []
    for place in range(8):  # a busy neighbour on the core makes even own seconds longer
        if command == "new":  # in a project without schemas: those are written too
            (tmp_path / f"{place}/config/environments").mkdir(parents=True)
            (tmp_path / f"{place}/config/environments/local.yaml").write_text(ENVIRONMENT)
            file = ["orders", "--from", "files", "--to", "delta", "--folder", str(tmp_path / str(place))]
        begin = os.times()
        done = subprocess.run(
            [sys.executable, "-c", CHILD, command, *file, *window],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        end = os.times()
        # The command's own seconds: other work on the machine doesn't count.
        seconds.append(end.children_user + end.children_system - begin.children_user - begin.children_system)
        assert done.returncode == 0, done.stderr
        assert "HEAVY []" in done.stderr
        if seconds[-1] < 1:
            break
    assert min(seconds) < 1


def test_a_closed_pipe_is_no_traceback() -> None:
    line = f"{shlex.quote(sys.executable)} -m airflow_provider_etl.cli.main schema | head -c 10"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == '{\n  "$sche'
    assert "Traceback" not in done.stderr


def test_a_diagnostic_is_one_line_whatever_it_shows() -> None:
    told = str(Diagnostic(path="a\nb", line=1, column=2, code="c", key="k\x1b[31m", message="m\r\nn", hint="h"))
    assert told == "a\\nb:1:2: error[c]: k\\x1b[31m: m\\r\\nn; h"
