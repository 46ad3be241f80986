"""What two pipeline files may not share: an id, and a table whose rows nothing parts."""

from __future__ import annotations

import json

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec import Clashes, load_file
from spark_jobs.errors import ConfigError
from spark_jobs.load.owners import Claim, refuse_others
from spark_jobs.load.scope import disjoint
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

SCOPED = PIPELINE.replace("    write:", "    scope: {country: US}\n    write:").replace("append", "snapshot")
ELSEWHERE = PIPELINE.replace("/orders\n    write", "/others\n    write")


def clashes(project: Project, **files: str) -> list[str]:
    """`file:line:col code key | message` of what the files, read in order, share."""
    seen, told = Clashes(), []
    for name, text in files.items():
        loaded = load_file(project.write(text, f"{name}.yaml"))
        assert loaded.pipeline is not None, [str(item) for item in loaded.diagnostics]
        told += [
            f"{item.path.rpartition('/')[2]}:{item.line}:{item.column} {item.code} {item.key} | {item.message}"
            for item in seen.told(loaded)
        ]
    return told


def test_two_files_with_one_id_are_told_at_the_second_ones_id(project: Project) -> None:
    (told,) = clashes(project, old="id: kept\n" + PIPELINE, new="id: kept\n" + ELSEWHERE)
    assert told.startswith("new.yaml:1:5 duplicate-id id | id 'kept' is taken by ")
    assert "old.yaml" in told


def test_an_id_is_taken_by_the_file_whose_stem_it_is(project: Project) -> None:
    (told,) = clashes(project, kept=PIPELINE, new="id: kept\n" + ELSEWHERE)
    assert "duplicate-id" in told
    assert clashes(project, old="id: a\n" + PIPELINE, new="id: b\n" + ELSEWHERE) == []


def test_two_files_with_one_table_need_scopes_that_differ(project: Project) -> None:
    snapshot = PIPELINE.replace("append", "snapshot")
    (told,) = clashes(project, one=snapshot, two=snapshot.replace("${env.lake}/orders", "data/lake/../lake/orders"))
    assert told.startswith("two.yaml:17:11 table-shared load.lake.path | load 'lake' of ")
    assert clashes(project, one=SCOPED, two=SCOPED.replace("US", "CA")) == []
    assert len(clashes(project, one=SCOPED, two=SCOPED)) == 1
    assert len(clashes(project, one=SCOPED, two=snapshot)) == 1
    assert len(clashes(project, one=SCOPED, two=SCOPED.replace("country: US", "region: east"))) == 1


def test_appends_may_share_a_table_since_their_rows_carry_their_pipeline(project: Project) -> None:
    assert clashes(project, one=PIPELINE, two=PIPELINE) == []
    assert len(clashes(project, one=PIPELINE, two=SCOPED)) == 1, "unless one of them has a scope and the other has none"


def test_lint_tells_the_clash_and_a_duplicate_dag_only_once(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write("id: kept\n" + PIPELINE, "a/one.yaml")
    project.write("id: kept\n" + ELSEWHERE, "b/two.yaml")
    project.write("id: kept\n" + PIPELINE, "b/one.yaml")
    assert main(["lint", str(project.folder / "dags"), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert sorted((item["code"], item["path"].rpartition("/")[2]) for item in told) == [
        ("duplicate-dag", "one.yaml"),
        ("duplicate-id", "two.yaml"),
    ]


def test_scopes_part_rows_where_one_column_has_different_values() -> None:
    assert disjoint({"country": "US"}, {"Country": "CA", "year": 1})
    assert not disjoint({"country": "US"}, {"country": "US", "year": 1})
    assert not disjoint({"country": "US"}, {"region": "east"})
    assert not disjoint({}, {"country": "US"})


def test_scopes_of_databases_differ_in_more_than_their_collations_may_see() -> None:
    for one, other in (("US", "us"), ("US", "US  "), ("stra\u00dfe", "STRASSE")):
        assert disjoint({"country": one}, {"country": other})
        assert not disjoint({"country": one}, {"country": other}, exact=False)
    assert disjoint({"country": "US"}, {"country": " US"}, exact=False)
    assert disjoint({"country": 1}, {"country": 2}, exact=False)
    claims = [Claim(pipeline=name, load="mart", scope={"country": name}) for name in ("US", "us")]
    refuse_others(claims[0], claims, set(), "facts")
    with pytest.raises(ConfigError, match=r"loaded by us too.*that differ in more than letter case and blanks"):
        refuse_others(claims[0], claims, set(), "facts", exact=False)


def test_two_loads_of_one_file_may_share_a_table_where_their_scopes_differ(project: Project) -> None:
    second = SCOPED.partition("load:\n")[2].replace("lake:", "other:").replace("US", "CA")
    assert project.told(SCOPED + second) == []
    (told,) = project.told(SCOPED + second.replace("CA", "US"))
    assert "destination-shared load.other.path | load 'lake' writes the same table" in told


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("{country: NO}", "wrong-type"),
        ("US", "wrong-type"),
        ("{country: [US]}", "wrong-type"),
        ("{day: 1.5}", "wrong-type"),
    ],
)
def test_a_scope_is_columns_and_plain_values(project: Project, value: str, code: str) -> None:
    (told,) = project.told(SCOPED.replace("{country: US}", value))
    assert f" {code} load.lake.scope" in told or " quote-needed load.lake.scope" in told


class TestId:
    """`id:`, what a pipeline is known by."""

    def test_it_is_the_stem_unless_the_file_says_another(self, project: Project) -> None:
        assert project.pipeline().id == "orders"
        renamed = project.pipeline("id: old-orders\n" + PIPELINE)
        assert (renamed.name, renamed.id) == ("orders", "old-orders")
        unit, _ = renamed.units(renamed.window_of("2013-01-01"))["lake"]
        assert unit.key.startswith("etl:old-orders:lake:")

    def test_it_is_not_in_the_fingerprint(self, project: Project) -> None:
        assert project.pipeline("id: x\n" + PIPELINE).fingerprint == project.pipeline().fingerprint

    def test_the_variable_pipeline_stands_for_it(self, project: Project) -> None:
        text = PIPELINE.replace("${env.lake}/orders", "${env.lake}/${pipeline}")
        assert project.pipeline("id: old\n" + text).load["lake"][1].path == "data/lake/old"

    @pytest.mark.parametrize("value", ["a:b", "../up", "''", "a b", "[x]"])
    def test_one_that_no_folder_can_bear_is_refused(self, project: Project, value: str) -> None:
        (told,) = project.told(f"id: {value}\n" + PIPELINE)
        assert told.startswith("1:5 ")

    def test_it_has_no_default_in_an_environment(self, project: Project) -> None:
        project.environment(ENVIRONMENT + "defaults: {id: same}\n")
        (told,) = project.told(PIPELINE)
        assert "invalid-value" in told
        assert "an id can't be a default" in told
