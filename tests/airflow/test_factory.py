"""Given pipeline files, the DAGs are; a broken file shows under its own name and harms no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, LOADER, ROOT, Project

pytestmark = pytest.mark.airflow

BROKEN = FLIGHTS.replace("owner:", "ownr:").replace("format: csv", "format: cvs")


def bag_of(project: Project) -> Any:
    """The loader's DAGs, as the dag-processor reads them."""
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(dag_folder=str(project.dags / "etl.py"), bundle_path=project.dags, bundle_name="dags")


@pytest.fixture
def as_dag_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the dag-processor sets in the processes that read files (dag_processing/processor.py)."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")


def asked_for(monkeypatch: pytest.MonkeyPatch, dag_id: str) -> None:
    """What a task's process sets before it reads the DAG's file (sdk/definitions/_internal/dag_parsing_context.py)."""
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)


def serialised(bag: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """(DAG id -> serialised DAG, path -> import error), by the dag-processor's own function."""
    import structlog
    from airflow.dag_processing.processor import _serialize_dags

    dags, errors = _serialize_dags(bag, structlog.get_logger())
    return {dag.dag_id: dag.data for dag in dags}, {**bag.import_errors, **errors}


def test_a_staged_file_is_a_task_per_verb_and_one_that_ends_the_run(project: Project) -> None:
    dag = bag_of(project).dags["flights"]
    assert [task.task_id for task in dag.topological_sort()] == ["extract", "transform", "check", "load", "finish"]
    assert {task.task_id: set(task.downstream_task_ids) for task in dag.tasks} == {
        "extract": {"transform"},
        "transform": {"check"},
        "check": {"load"},
        "load": {"finish"},
        "finish": set(),
    }
    assert dag.get_task("finish").is_teardown, "it has no say in whether the run has succeeded"
    load = dag.get_task("load")
    assert load.pipeline == "pipelines/flights.yaml"
    assert [outlet.name for outlet in load.outlets] == ["flights.lake"]
    assert not dag.get_task("check").outlets


def test_the_file_decides_how_the_dag_runs(project: Project) -> None:
    dag = bag_of(project).dags["flights"]
    assert dag.description == "Flights of a day."
    assert dag.doc_md == "Flights of a day.\nOne window a day.\n\nPipeline file: `pipelines/flights.yaml`"
    assert dag.tags == {"demo", "air"}
    assert dag.start_date == datetime(2013, 1, 1, 5, tzinfo=UTC)
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    task = dag.get_task("load")
    assert (task.owner, task.retries, task.retry_delay) == ("data-platform", 3, timedelta(minutes=2))
    assert (task.retry_exponential_backoff, task.max_retry_delay) == (2, timedelta(minutes=30))
    assert task.execution_timeout == timedelta(minutes=10)


def test_a_fused_file_is_one_task_that_keeps_all_its_assets(project: Project) -> None:
    project.pipeline("flights", FLIGHTS.replace("execution: staged", "execution: fused"))
    dag = bag_of(project).dags["flights"]
    assert [task.task_id for task in dag.tasks] == ["pipeline"]
    assert [outlet.name for outlet in dag.get_task("pipeline").outlets] == ["flights.lake"]


def test_an_asset_schedule_meets_the_asset_that_the_load_keeps(project: Project) -> None:
    text = FLIGHTS.replace('schedule: "@daily"', "schedule: {assets: [flights.lake]}")
    project.pipeline("late", text.replace("start: 2013-01-01\n", "").replace("end: 2013-01-04\n", ""))
    bag = bag_of(project)
    [asset] = bag.dags["late"].timetable.asset_condition.objects
    assert asset == bag.dags["flights"].get_task("load").outlets[0]


def test_a_manual_file_asks_for_its_window(project: Project) -> None:
    project.pipeline("flights", FLIGHTS.replace('schedule: "@daily"', "schedule: manual"))
    dag = bag_of(project).dags["flights"]
    assert dag.schedule is None
    with pytest.raises(ValueError, match="No value passed and Param has no default value"):
        dag.params.validate()
    dag.params.update({"window_start": "2013-01-01", "window_end": "2013-01-02"})
    assert dag.params.validate() == {"window_start": "2013-01-01", "window_end": "2013-01-02"}


def test_dags_survive_serialisation_and_come_out_the_same_each_time(project: Project) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    project.pipeline("fused", FLIGHTS.replace("execution: staged", "execution: fused"))
    project.pipeline("manual", FLIGHTS.replace('schedule: "@daily"', "schedule: manual"))
    project.pipeline("often", FLIGHTS.replace('schedule: "@daily"', "schedule: {every: 15m}"))
    first, errors = serialised(bag_of(project))
    assert not errors
    assert set(first) == {"flights", "fused", "manual", "often"}
    again, _ = serialised(bag_of(project))
    assert {name: json.dumps(dag) for name, dag in first.items()} == {name: json.dumps(again[name]) for name in again}
    back = DagSerialization.from_dict(first["flights"])
    assert {task.task_id for task in back.tasks} == {"extract", "transform", "check", "load", "finish"}
    assert back.timetable.summary == "0 0 * * *"


def test_days_have_23_and_25_hours_where_the_clock_is_changed(project: Project) -> None:
    intervals = {start: end - start for start, end in intervals_of(project, "2013-03-09", "2013-03-12")}
    assert list(intervals.values()) == [timedelta(hours=24), timedelta(hours=23), timedelta(hours=24)]
    intervals = {start: end - start for start, end in intervals_of(project, "2013-11-02", "2013-11-05")}
    assert list(intervals.values()) == [timedelta(hours=24), timedelta(hours=25), timedelta(hours=24)]


@pytest.mark.parametrize(
    "schedule", ['"@daily"', '"@hourly"', '"0 6 * * 1"', '"30 */6 * * *"', '"@monthly"', "{every: 15m}", "{every: 36h}"]
)
def test_the_scheduler_cuts_the_windows_that_the_command_line_cuts(project: Project, schedule: str) -> None:
    """Over both clock changes of a year: what `backfill` runs is what `run --window` and `explain` say."""
    from airflow_provider_etl.spec import load_file

    text = (
        FLIGHTS.replace("end: 2013-01-04\n", "").replace('"@daily"', schedule).replace("2013-01-01\n", "2013-02-01\n")
    )
    path = project.pipeline("flights", text)
    pipeline = load_file(path).pipeline
    assert pipeline is not None
    for first, last in (("2013-03-04", "2013-03-18"), ("2013-10-28", "2013-11-11")):
        ours = [(window.start, window.end) for window in pipeline.windows(_day(first), _day(last))]
        theirs = [span for span in intervals_of(project, "2013-02-01", last) if span[0] >= _at(first)]
        assert [span for span in theirs if span[1] <= _at(last)] == ours


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


def _at(text: str) -> datetime:
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)


def intervals_of(project: Project, first: str, last: str) -> list[tuple[datetime, datetime]]:
    """The data intervals that the scheduler would make between two local days, from the deserialised DAG."""
    import pendulum
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    project.pipeline("flights", (project.dags / "pipelines/flights.yaml").read_text().replace("end: 2013-01-04\n", ""))
    dags, _ = serialised(bag_of(project))
    timetable = DagSerialization.from_dict(dags["flights"]).timetable
    bounds = TimeRestriction(pendulum.instance(_at(first)), pendulum.instance(_at(last)), catchup=True)
    found, before = [], None
    while (info := timetable.next_dagrun_info(last_automated_data_interval=before, restriction=bounds)) is not None:
        before = info.data_interval
        if before.start >= bounds.latest:
            break
        found.append((before.start.astimezone(UTC), before.end.astimezone(UTC)))
    return found


def test_end_is_the_end_of_the_last_window(project: Project) -> None:
    import pendulum
    from airflow.serialization.serialized_objects import DagSerialization

    project.pipeline("flights", FLIGHTS + "catchup: true\n")
    dags, _ = serialised(bag_of(project))
    dag = DagSerialization.from_dict(dags["flights"])
    assert dag.next_dagrun_info(last_automated_run_info=run_of(dag, 2)).logical_date == pendulum.datetime(2013, 1, 3, 5)
    assert dag.next_dagrun_info(last_automated_run_info=run_of(dag, 3)) is None


def run_of(dag: Any, day: int) -> Any:
    """The scheduled run of a day of January 2013."""
    import pendulum

    midnight = pendulum.datetime(2013, 1, day, 5)
    [info] = dag.iter_dagrun_infos_between(midnight, midnight)
    return info


def test_a_broken_file_is_an_import_error_of_its_own_and_harms_no_other(
    project: Project, as_dag_processor: None
) -> None:
    project.pipeline("orders", BROKEN)
    (project.dags / "pipelines/sub").mkdir()
    project.write("dags/pipelines/sub/empty.yaml", "")
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert set(errors) == {"pipelines/orders.yaml", "pipelines/sub/empty.yaml"}
    told = errors["pipelines/orders.yaml"].splitlines()
    assert any(line.endswith("did you mean 'owner'?") or "did you mean 'owner'" in line for line in told)
    assert (
        sum("pipelines/orders.yaml:" in line for line in told) == 2
    )  # all the errors of the file, each with its place
    assert str(project.folder) not in "".join(told[-2:])


def test_the_error_goes_when_the_file_is_mended(project: Project, as_dag_processor: None) -> None:
    project.pipeline("orders", BROKEN)
    assert serialised(bag_of(project))[1]
    project.pipeline("orders")
    dags, errors = serialised(bag_of(project))
    assert not errors
    assert set(dags) == {"flights", "orders"}


def test_a_test_that_loads_a_dagbag_sees_the_broken_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_AIRFLOW_PROCESS_CONTEXT", raising=False)
    project.pipeline("orders", BROKEN)
    bag = bag_of(project)
    assert "flights" in bag.dags
    assert "pipelines/orders.yaml:" in "".join(bag.import_errors.values())


def test_a_test_that_loads_a_dagbag_sees_every_broken_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_AIRFLOW_PROCESS_CONTEXT", raising=False)
    for name in ("orders", "returns"):
        project.pipeline(name, BROKEN)
    (told,) = bag_of(project).import_errors.values()
    assert "pipelines/orders.yaml:" in told
    assert "pipelines/returns.yaml:" in told


def test_reserialize_stores_the_good_dags_and_the_errors_beside_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("_AIRFLOW_PROCESS_CONTEXT", raising=False)
    monkeypatch.setattr("sys.argv", ["airflow", "dags", "reserialize"])
    project.pipeline("orders", BROKEN)
    bag = bag_of(project)
    assert not bag.import_errors, "it would mark every DAG of the loader stale"
    dags, errors = serialised(bag)
    assert set(dags) == {"flights"}
    assert [name.rpartition("/")[2] for name in errors] == ["orders.yaml"]


@pytest.mark.parametrize("raises", ["build", "validate", "upkeep"])
def test_whatever_airflow_raises_for_one_file_is_that_files_error(
    project: Project, monkeypatch: pytest.MonkeyPatch, as_dag_processor: None, raises: str
) -> None:
    from airflow_provider_etl.factory import attempt, upkeep

    project.pipeline("orders", FLIGHTS + "\nquarantine: {keep: 90d}\n" if raises == "upkeep" else FLIGHTS)
    real = attempt.build

    def build(pipeline: Any, **more: Any) -> Any:
        dag = real(pipeline, **more)
        if pipeline.name == "orders" and raises == "build":
            raise ValueError("no such\n asset")
        if pipeline.name == "orders" and raises == "validate":
            dag.owner_links = {"me": "nowhere"}
        return dag

    def schedules(_: Any) -> Any:
        raise KeyError("no such schedule")

    monkeypatch.setattr(attempt, "build", build)
    monkeypatch.setattr(upkeep, "schedules", schedules)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    ((name, told),) = errors.items()
    assert name.endswith("pipelines/orders.yaml")
    assert "pipelines/orders.yaml:1:1: error[airflow-refuses]: Airflow takes no such DAG (" in told


def test_a_contract_beside_the_pipelines_is_none_of_them(project: Project, as_dag_processor: None) -> None:
    """Nor does it take a pipeline's name, though its folder comes first."""
    for name in ("contracts/flights.yaml", "contracts/orders.yaml"):
        (project.dags / "pipelines/contracts").mkdir(exist_ok=True)
        project.write(f"dags/pipelines/{name}", "columns: {id: {type: int, required: true}}\nkeys: [id]\n")
    dags, errors = serialised(bag_of(project))
    assert (set(dags), errors) == ({"flights"}, {})


def test_an_id_twice_is_an_error_of_the_second_file(project: Project, as_dag_processor: None) -> None:
    (project.dags / "pipelines/sub").mkdir()
    project.write("dags/pipelines/sub/flights.yaml", FLIGHTS)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert dags["flights"]["dag"]["tasks"][0]["__var"]["task_id"] == "extract"
    assert set(errors) == {"pipelines/sub/flights.yaml"}
    assert "'flights' is taken by" in errors["pipelines/sub/flights.yaml"]


def test_the_second_file_of_an_id_is_an_import_error(project: Project, as_dag_processor: None) -> None:
    """Each would take the other's windows for its own."""
    project.pipeline("renamed", f"id: flights\n{FLIGHTS.lstrip()}")
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert set(errors) == {"pipelines/renamed.yaml"}
    assert "pipelines/renamed.yaml:1:5: error[duplicate-id]" in errors["pipelines/renamed.yaml"]


def test_where_errors_per_file_are_not_to_be_had_a_dag_lists_them(
    project: Project, monkeypatch: pytest.MonkeyPatch, as_dag_processor: None
) -> None:
    from airflow_provider_etl.factory import loader

    monkeypatch.setattr(loader, "ERRORS_PER_FILE", False)
    project.pipeline("orders", BROKEN)
    dags, errors = serialised(bag_of(project))
    assert not errors
    assert set(dags) == {"flights", "etl__config_errors"}
    assert "pipelines/orders.yaml:" in dags["etl__config_errors"]["dag"]["doc_md"]


def test_a_deployment_that_is_strict_takes_a_warning_for_an_error(
    project: Project, monkeypatch: pytest.MonkeyPatch, as_dag_processor: None
) -> None:
    unused = "  spare: {type: files, path: data/raw/x.csv, format: csv, window: all}\ntransform:"
    project.pipeline("orders", FLIGHTS.replace("transform:", unused).replace("env.lake}/flights", "env.lake}/orders"))
    assert set(serialised(bag_of(project))[0]) == {"flights", "orders"}
    monkeypatch.setenv("AIRFLOW__ETL__STRICT", "True")
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert "warning[unused-dataset]" in errors["pipelines/orders.yaml"]


def test_a_deployment_may_keep_its_files_in_another_folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("dags/etl/files/orders.yaml", FLIGHTS)
    monkeypatch.setenv("AIRFLOW__ETL__PIPELINES_FOLDER", "etl/files")
    assert set(bag_of(project).dags) == {"orders"}
    project.write("dags/etl.py", "# an Airflow DAG file\n" + LOADER.replace("globals()", 'globals(), "pipelines"'))
    assert set(bag_of(project).dags) == {"flights"}


def test_a_short_file_is_the_dag_s_documentation_and_a_long_one_is_named(project: Project) -> None:
    from airflow_provider_etl.factory.document import document
    from airflow_provider_etl.spec import load_file

    loaded = load_file(project.dags / "pipelines/flights.yaml")
    assert loaded.pipeline is not None
    told = document(loaded.pipeline, source="pipelines/flights.yaml", text="schedule: manual\n")
    assert told.endswith("```yaml\nschedule: manual\n```")
    told = document(loaded.pipeline, source="pipelines/flights.yaml", text=loaded.text)
    assert told.endswith("Pipeline file: `pipelines/flights.yaml`")
    assert document(loaded.pipeline, source="x", text="") == "Flights of a day.\nOne window a day."


def test_the_form_is_the_dag_s_and_no_task_carries_a_copy_of_it(project: Project) -> None:
    data = serialised(bag_of(project))[0]["flights"]["dag"]
    assert [name for name, _ in data["params"]] == ["window_start", "window_end"]
    assert not [task for task in data["tasks"] if task["__var"].get("params")]


def test_at_task_start_only_the_asked_for_file_is_read(
    project: Project, monkeypatch: pytest.MonkeyPatch, as_dag_processor: None
) -> None:
    from airflow_provider_etl.factory import loader

    for number in range(20):
        project.pipeline(f"p{number}")
    project.pipeline("orders", BROKEN)
    read: list[str] = []
    real = loader.load_file
    monkeypatch.setattr(loader, "load_file", lambda path, **more: read.append(path.name) or real(path, **more))
    asked_for(monkeypatch, "p7")
    bag = bag_of(project)
    assert set(bag.dags) == {"p7"}
    assert read == ["p7.yaml"]


def test_at_task_start_a_broken_file_says_why_there_is_no_dag(
    project: Project, monkeypatch: pytest.MonkeyPatch, as_dag_processor: None
) -> None:
    project.pipeline("orders", BROKEN)
    asked_for(monkeypatch, "orders")
    bag = bag_of(project)
    assert not bag.dags
    assert "pipelines/orders.yaml:" in "".join(bag.import_errors.values())


def test_a_file_that_is_asked_for_and_not_ours_reads_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, as_dag_processor: None
) -> None:
    project.pipeline("orders", BROKEN)
    asked_for(monkeypatch, "somebody_elses")
    bag = bag_of(project)
    assert not bag.dags
    assert not bag.import_errors


def test_the_package_alone_imports_neither_airflow_nor_anything_heavy() -> None:
    code = (
        "import sys, airflow_provider_etl\n"
        "airflow_provider_etl.__version__, dir(airflow_provider_etl)\n"
        "print([name for name in ('airflow', 'pyspark', 'pydantic', 'yaml', 'deltalake') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_loading_dags_imports_nothing_heavy(project: Project) -> None:
    code = (
        "import sys\n"
        "from airflow.dag_processing.dagbag import DagBag\n"
        f"bag = DagBag({str(project.dags / 'etl.py')!r})\n"
        "assert list(bag.dags) == ['flights'], bag.import_errors\n"
        "print([n for n in ('pyspark', 'deltalake', 'sqlglot', 'pyarrow', 'pandas', 'delta') if n in sys.modules])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=project.folder, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_public_name_that_is_none_is_an_attribute_error() -> None:
    import airflow_provider_etl

    with pytest.raises(AttributeError, match="no attribute 'SparkOperator'"):
        airflow_provider_etl.SparkOperator  # noqa: B018
    for name in airflow_provider_etl.__all__:
        assert getattr(airflow_provider_etl, name)


def test_the_repository_s_own_dags_load_without_an_error() -> None:
    from airflow.dag_processing.dagbag import DagBag

    for file in sorted(Path(ROOT / "dags").glob("*.py")):
        bag = DagBag(str(file))
        assert not bag.import_errors
        assert bag.dags


def test_the_file_decides_who_goes_first_how_long_and_where_people_turn_to(project: Project) -> None:
    keys = (
        "doc: '# Flights'\nowner_links: {data-platform: https://wiki/flights}\npool: {name: db, slots: 2}\n"
        "priority: 7\ndepends_on_previous: true\n"
        "params: {region: {default: eu, values: [eu, us], description: Where}}\n"
    )
    text = FLIGHTS.replace("timeout: 10m", "timeout: {run: 6h, task: 1h, load: 5m}").replace(
        "/flights/", "/${param.region}/"
    )
    project.pipeline("flights", keys + text)
    dag = bag_of(project).dags["flights"]
    assert (dag.doc_md.split("\n")[0], dag.owner_links) == ("# Flights", {"data-platform": "https://wiki/flights"})
    assert (dag.dagrun_timeout, dag.max_active_runs) == (timedelta(hours=6), 1)
    for task in dag.tasks:
        assert (task.pool, task.pool_slots, task.depends_on_past) == ("db", 2, task.task_id != "finish")
        assert (task.priority_weight, task.weight_rule) == (7, "absolute")
        assert task.execution_timeout == timedelta(minutes=5 if task.task_id == "load" else 60)
    form = dag.params.get_param("region")
    assert (form.value, form.schema["enum"], form.description) == ("eu", ["eu", "us"], "Where")


def test_a_base_that_is_broken_is_named_in_the_error_of_the_file(project: Project, as_dag_processor: None) -> None:
    project.pipeline("_base", FLIGHTS.replace("owner:", "ownr:"))
    project.pipeline("late", "extends: _base.yaml\n")
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert "pipelines/_base.yaml:5:1: error[unknown-key]" in errors["pipelines/late.yaml"]
