"""`params`: values that a run may be given."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from airflow_provider_etl.spec.sizes import measured
from spark_jobs.errors import ConfigError
from spark_jobs.plan import Attempt
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

ATTEMPT = Attempt(number=1, token="t", run="r")
PARAMS = """\
params:
  region: {default: eu, values: [eu, us]}
  least: 10
  day: {type: date, default: "2013-01-05"}
  loud: false
"""
USING = PARAMS + PIPELINE.replace("raw}/orders/", "raw}/${param.region}/").replace(
    "  - filter: amount > 0\n",
    "  - sql: select * from input where amount > ${param.least} and day >= ${param.day}"
    " and region = ${param.region} and loud = ${param.loud}\n",
)


def planned(project: Project, given: dict[str, Any], text: str = USING) -> Any:
    pipeline = project.pipeline(text).with_params(given)
    return pipeline.plan(pipeline.window_of("2013-01-01"), ATTEMPT)


def test_a_run_gets_its_values_as_text_in_paths_and_as_literals_in_queries(project: Project) -> None:
    plan = planned(project, {"region": "us", "least": 3, "window_start": None, "foreign": 1})
    assert plan.extract["orders"].path.endswith("/raw/us/2013-01-01.csv")
    query = plan.transform["result"].steps[0][1].query
    assert "amount > 3 and day >= DATE '2013-01-05' and region = 'us' and loud = false" in query


def test_a_run_that_gives_none_gets_the_defaults(project: Project) -> None:
    assert planned(project, {}).extract["orders"].path.endswith("/raw/eu/2013-01-01.csv")
    assert planned(project, {"region": None}).extract["orders"].path.endswith("/raw/eu/2013-01-01.csv")


def test_another_value_is_another_configuration(project: Project) -> None:
    pipeline = project.pipeline(USING)
    same = pipeline.with_params({"region": "eu"})
    other = pipeline.with_params({"region": "us"})
    assert same.fingerprint == pipeline.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("name", "given", "typed"),
    [("least", "12", 12), ("day", "2014-02-03", date(2014, 2, 3)), ("loud", "TRUE", True), ("region", "us", "us")],
)
def test_a_command_line_gives_text(project: Project, name: str, given: str, typed: Any) -> None:
    assert project.pipeline(USING).with_params({name: given}).values[name] == typed


def test_dates_may_be_listed_as_yaml_writes_them(project: Project) -> None:
    text = "params: {day: {type: date, default: 2013-01-05, values: [2013-01-05, '2013-01-12']}}\n"
    pipeline = project.pipeline(text + PIPELINE.replace("raw}/orders/", "raw}/${param.day}/"))
    assert pipeline.params["day"].schema["enum"] == ["2013-01-05", "2013-01-12"]
    assert pipeline.with_params({"day": "2013-01-12"}).values == {"day": date(2013, 1, 12)}
    with pytest.raises(ConfigError, match="one of 2013-01-05, 2013-01-12"):
        pipeline.with_params({"day": "2013-01-06"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"region": "mars"}, "one of eu, us"),
        ({"region": 5}, "a value of type string"),
        ({"least": "1.5"}, "a value of type integer"),
        ({"least": True}, "a value of type integer"),
        ({"day": "2013-02-30"}, "a value of type date"),
        ({"loud": "yes"}, "a value of type boolean"),
    ],
)
def test_a_value_that_can_not_be_is_refused_by_name(project: Project, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as told:
        project.pipeline(USING).with_params(given)
    assert f"param {next(iter(given))}: " in str(told.value)
    assert said in str(told.value)


def test_a_value_can_not_lead_out_of_the_roots(project: Project) -> None:
    text = USING.replace("{default: eu, values: [eu, us]}", "eu")
    with pytest.raises(ConfigError, match="outside the roots"):
        planned(project, {"region": "../../../etc"}, text)


def test_a_default_can_not_lead_out_of_the_roots_either_and_lint_says_so(project: Project) -> None:
    text = USING.replace("{default: eu, values: [eu, us]}", "../../../etc").replace(
        "start: 2013-01-01\n",
        """\
start: 2013-01-01
skip_if: {missing: "${env.raw}/${param.region}/x"}
wait_for: [{file: "${env.raw}/${param.region}/y"}]
""",
    )
    assert [line.split(" leads")[0] for line in project.told(text)] == [
        f"{place} path-outside-roots {key} | 'data/raw/../../../etc{rest}'"
        for place, key, rest in (
            ("9:20", "skip_if.missing", "/x"),
            ("10:19", "wait_for[0].file", "/y"),
            ("14:11", "extract.orders.path", "/2013-01-01.csv"),
        )
    ]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1.10", "1.1"),
        ("1e3", "1000.0"),
        ("{type: number, default: 2.50}", "2.5"),
        ("{type: number, default: 1, values: [1, 1.0e1]}", "10.0"),
    ],
)
def test_a_number_that_a_path_would_spell_otherwise_is_told(project: Project, written: str, number: str) -> None:
    params = f"params: {{version: {written}}}\n"
    pasted = params + PIPELINE.replace("raw}/orders/", "raw}/${param.version}/")
    [told] = project.told(pasted)
    assert "invalid-param params.version" in told
    assert f"is the number {number}, and stands so in paths and names" in told
    assert project.told(pasted.replace(written, '"1.10"')) == []
    assert (
        project.told(
            params + PIPELINE.replace("filter: amount > 0", "sql: select * from input where amount > ${param.version}")
        )
        == []
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{type: string, default: 1.10}", "1.10 is a number to YAML"),
        ("{default: 1.10}", "1.10 is a number to YAML"),
        ("{default: 2024-01-01}", "2024-01-01 is a date to YAML"),
        ("{default: true}", "true is a boolean to YAML"),
        ('{default: "2", values: [1.10, "2"]}', "1.10 is the number 1.1"),
    ],
)
def test_a_text_that_yaml_reads_otherwise_is_told_once_and_quotes_mend_it(
    project: Project, written: str, said: str
) -> None:
    pasted = f"params: {{version: {written}}}\n" + PIPELINE.replace("raw}/orders/", "raw}/${param.version}/")
    [told] = project.told(pasted)
    assert said in told
    assert told.endswith(f'| write "{said.split(maxsplit=1)[0]}" in quotes')
    quoted = re.sub(r"(?<=[ [])(1\.10|2024-01-01|true)", r'"\1"', pasted.splitlines()[0])
    assert project.told(pasted.replace(pasted.splitlines()[0], quoted)) == []


def test_a_date_needs_no_quotes_where_a_date_is_wanted(project: Project) -> None:
    assert planned(project, {}, USING.replace('"2013-01-05"', "2013-01-05")) == planned(project, {})
    for wrong in ("2013-02-30", "2013-1-5", "2013-01-05T10:00", "5"):
        [told] = project.told(USING.replace('"2013-01-05"', wrong))
        assert " params.day.default | " in told


def test_a_value_can_not_leave_its_literal(project: Project) -> None:
    text = USING.replace("{default: eu, values: [eu, us]}", "eu").replace("/${param.region}/", "/x/")
    query = planned(project, {"region": "a' or 1=1 --\\"}, text).transform["result"].steps[0][1].query
    assert r"region = 'a\' or 1=1 --\\'" in query


def test_a_pattern_binds_the_whole_value(project: Project) -> None:
    text = USING.replace("{default: eu, values: [eu, us]}", '{default: eu, pattern: "[a-z]{2}"}')
    with pytest.raises(ConfigError, match="text that matches"):
        planned(project, {"region": "eux"}, text)


def test_a_manual_pipeline_may_ask_for_a_value_and_does(project: Project) -> None:
    text = USING.replace("default: eu, ", "").replace('"@daily"\nstart: 2013-01-01', "manual")
    pipeline = project.pipeline(text)
    with pytest.raises(ConfigError, match=r"parameter region has no value.*--param NAME=VALUE"):
        pipeline.with_params({})
    assert pipeline.with_params({"region": "us"}).values["region"] == "us"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ("{region: {values: [eu]}}", "invalid-param params.region | parameter 'region' has no default, and nobody"),
        ("{region: {default: eu, values: [us]}}", "invalid-param params.region.default | the default 'eu' can't be"),
        ("{region: {type: integer, default: eu}}", "invalid-param params.region.default | the default 'eu' can't be"),
        ("{region: {type: int, default: 1}}", "unknown-value params.region.type | 'int' is not string or integer"),
        (
            "{region: {default: eu, values: [eu, 2013-01-01]}}",
            "invalid-param params.region.values[1] | '2013-01-01' isn't of its type, string | write \"2013-01-01\" in",
        ),
        (
            "{region: {type: integer, default: 1, values: [1, one]}}",
            "params.region.values[1] | 'one' isn't of",
        ),
        ("{window_start: a}", "invalid-param params.window_start | 'window_start' is what the form"),
        ("{a-b: a}", "invalid-param params.a-b | 'a-b' can't be a parameter's name"),
        (
            '{region: {default: eu, pattern: "a{99999999999999}"}}',
            "invalid-param params.region.pattern | 'a{99999999999999}' is no regular expression",
        ),
        ('{region: {default: eu, pattern: "("}}', "invalid-param params.region.pattern | '(' is no regular expression"),
        (
            "{region: {defualt: eu}}",
            "unknown-key params.region.defualt | unknown key 'defualt' | did you",
        ),
        ("{regoin: eu}", "unknown-variable extract.orders.path | '${param.region}' is unknown | did you mean"),
        ("{region: eu, idle: 1}", "unused-param params.idle | parameter 'idle' changes nothing"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_told_at_its_place(project: Project, params: str, said: str) -> None:
    text = f"params: {params}\n" + PIPELINE.replace("raw}/orders/", "raw}/${param.region}/")
    assert any(said in line for line in project.told(text)), project.told(text)


def test_auto_measures_the_files_of_the_window(project: Project) -> None:
    text = PIPELINE.replace("start: 2013", "resources: {size: auto, load: {size: large, executors: 3}}\nstart: 2013")
    pipeline = project.pipeline(text.replace("/${window.start:%Y-%m-%d}.csv", "/${window.key}/*.csv"))
    folder = project.folder / "data/raw/orders/2013-01-01"
    folder.mkdir(parents=True)
    window = pipeline.window_of("2013-01-01")

    def spark(size: int, *verbs: str) -> Any:
        with (folder / "a.csv").open("wb") as file:
            file.truncate(size)  # sparse: no byte is written
        return pipeline.plan(window, ATTEMPT, verbs=verbs).spark

    assert spark(1000, "extract")["small"]
    assert "spark.executor.instances" not in spark(1000, "extract")["conf"]
    assert spark(1 << 30, "extract")["conf"]["spark.executor.instances"] == "2"
    assert spark(11 << 30, "extract", "transform")["conf"]["spark.executor.instances"] == "8"
    assert not spark(200 << 30, "extract")["small"]
    assert spark(200 << 30, "extract")["conf"]["spark.executor.memory"] == "16g"
    load = spark(1000, "load")["conf"]
    assert (load["spark.executor.instances"], load["spark.sql.shuffle.partitions"]) == ("3", "2000")


def test_what_can_not_be_measured_from_here_is_small(project: Project) -> None:
    plan = planned(project, {})
    remote = type(plan.extract["orders"])(path="s3a://bucket/x.csv", format="csv")
    assert measured([plan.extract["orders"], remote]) == "small"


def test_auto_takes_what_the_last_windows_moved_where_the_source_is_out_of_reach(project: Project) -> None:
    from spark_jobs.usage import Usage
    from spark_jobs.usage_kept import Kept, Local

    project.environment(ENVIRONMENT.replace("roots: [data]", 'roots: [data, "s3a://drops"]'))
    text = PIPELINE.replace("start: 2013", "resources: {size: auto}\nstart: 2013").replace("${env.raw}", "s3a://drops")
    pipeline = project.pipeline(text)
    window, kept = (
        pipeline.window_of("2013-01-01"),
        Kept(folder=f"{project.folder}/data/quarantine", pipeline="orders", storage=Local()),
    )

    def spark(*verbs: str) -> Any:
        return pipeline.plan(window, ATTEMPT, verbs=verbs).spark

    def keep(name: str, **moved: int) -> None:
        usage = Usage(seconds=1.0, cores=2, heap_peak=1, heap_max=2, **moved).to_json()  # type: ignore[arg-type]
        kept.add(name, {"window": {"start": "a", "end": "b"}, **usage})

    whole = ("extract", "transform", "check", "load")
    assert spark(*whole)["conf"]["spark.executor.instances"] == "2", "nothing is known: small"
    keep("run", bytes_read=50 << 30, bytes_written=1 << 30)
    keep("run", bytes_written=1000)
    keep("load", bytes_read=1000, bytes_written=200 << 30)
    assert spark(*whole)["conf"]["spark.executor.instances"] == "8", "the largest of the last ten"
    assert spark("load")["conf"]["spark.executor.instances"] == "20", "a verb's own"
    assert spark("extract")["conf"]["spark.executor.instances"] == "2"
    for _ in range(10):
        keep("run", bytes_read=10)
    assert spark(*whole)["conf"]["spark.executor.instances"] == "2", "never tiny: nobody has seen the files"


def test_executors_may_come_and_go_and_the_partitions_of_a_shuffle_be_said(project: Project) -> None:
    asked = "resources: {size: small, executors: 3, max_executors: 9, shuffle_partitions: 77}\nstart: 2013"
    pipeline = project.pipeline(PIPELINE.replace("start: 2013", asked))
    conf = pipeline.plan(pipeline.window_of("2013-01-01"), ATTEMPT).spark["conf"]
    assert conf["spark.dynamicAllocation.enabled"] == "true"
    assert conf["spark.dynamicAllocation.shuffleTracking.enabled"] == "true"
    assert (conf["spark.executor.instances"], conf["spark.dynamicAllocation.maxExecutors"]) == ("3", "9")
    assert conf["spark.sql.shuffle.partitions"] == "77"


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("{size: large, max_executors: 12}", "12"),
        ("{size: small, max_executors: 12}", "2"),
        ("{size: small, max_executors: 1}", "1"),
    ],
)
def test_no_size_begins_with_more_executors_than_there_may_be(project: Project, asked: str, first: str) -> None:
    pipeline = project.pipeline(PIPELINE.replace("start: 2013", f"resources: {asked}\nstart: 2013"))
    conf = pipeline.plan(pipeline.window_of("2013-01-01"), ATTEMPT).spark["conf"]
    assert conf["spark.executor.instances"] == first, "YARN and Kubernetes would refuse to start"
