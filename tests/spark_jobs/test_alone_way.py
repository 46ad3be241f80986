"""The way of rows that are run again alone, and what is beside it; no Spark."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spark_jobs.accounts import Accounts
from spark_jobs.alone.fitting import Way, way
from spark_jobs.alone.reading import Records
from spark_jobs.alone.replay import RowsAlone, _of_few
from spark_jobs.check.references import References
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.files import Files
from spark_jobs.extract.sql import Sql
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.delta import Delta
from spark_jobs.load.owners import Claim
from spark_jobs.load.strategies import Append
from spark_jobs.orders import Order
from spark_jobs.plan import Dataset
from spark_jobs.report import Report
from spark_jobs.transform.clean import Clean
from spark_jobs.transform.join import Join
from spark_jobs.transform.lookup import Lookup
from spark_jobs.transform.validate import Validate
from tests.spark_jobs.plans import attempt, day, plan

SOUND = ("validate", Validate(rules={"paid": "salary > 0"}))
BOSS = ("lookup", Lookup(other="bosses", on={"boss": "id"}))


def told(loaded: str, extract: tuple[str, ...], **transform: Dataset) -> Any:
    """A pipeline that appends one dataset."""
    sources = {name: Files(path=f"{name}.csv", format="csv") for name in extract}
    load = {"lake": (loaded, Delta(path="t", write=Append(strategy="append")))}
    return SimpleNamespace(extract=sources, transform=transform, check={}, load=load)


@pytest.mark.parametrize("stage", ["extract", "transform", "check"])
def test_rows_that_a_dataset_beside_the_way_has_refused_are_none_of_the_load(stage: str) -> None:
    """`staff` has loaded the row that `bosses` refused: it would be there twice."""
    found = way(
        told(
            "staff",
            ("employees", "chiefs"),
            bosses=Dataset(source="chiefs", steps=(SOUND,)),
            known=Dataset(source="employees", steps=(SOUND,)),
            staff=Dataset(source="known", steps=(BOSS,)),
        ),
        "p",
        reaches_back=False,
    )
    records = Records(rows=None, way=found, folder="f")  # type: ignore[arg-type]
    for name in ("employees", "known", "staff"):
        records._refuse_bare([{"raw": "{}", "rules": ["r"], "stage": stage, "dataset": name}])  # type: ignore[list-item]
    row: Any = {"raw": "{}", "rules": ["validate paid"], "stage": stage, "dataset": "bosses"}
    with pytest.raises(DataError, match="a row that bosses refused is none of those on the way to load lake"):
        records._refuse_bare([row])


@pytest.mark.parametrize(
    "bosses",
    [
        Dataset(source="employees", steps=(SOUND,)),
        Dataset(source="known"),
        Dataset(source="chiefs", steps=(("join", Join(other="known", on=("id",), how="inner")),)),
        Dataset(source="paid"),
    ],
)
def test_a_lookup_in_rows_of_the_same_source_would_find_the_waiting_ones_alone(bosses: Dataset) -> None:
    known, staff = Dataset(source="employees", steps=(SOUND,)), Dataset(source="employees", steps=(BOSS,))
    pipeline = told("staff", ("employees", "chiefs"), known=known, bosses=bosses, staff=staff)
    pipeline.extract["paid"] = Sql(query="SELECT id FROM employees")
    why = "step lookup reads rows of the same source, of which only a few are here"
    with pytest.raises(ConfigError, match=why):
        way(pipeline, "p", reaches_back=False)
    pipeline.transform["bosses"] = Dataset(source="chiefs", steps=(SOUND,))
    assert way(pipeline, "p", reaches_back=False).datasets == {"employees", "staff"}
    pipeline.check["staff"] = (("references", References(column="boss", dataset="employees", key="id")),)
    with pytest.raises(ConfigError, match="check references of staff reads rows of the same source"):
        way(pipeline, "p", reaches_back=False)


def test_what_a_dataset_beside_the_way_refuses_while_it_is_read_in_full_is_not_set_aside_anew() -> None:
    staff = Dataset(source="employees", steps=(BOSS,))
    bosses = Dataset(source="chiefs", steps=(SOUND,))
    pipeline = told("staff", ("employees", "chiefs"), bosses=bosses, staff=staff)
    made = plan(Path("p"), day(1), attempt(1), **vars(pipeline))
    report = Report.begun(made)
    refused = ("extract/chiefs", "extract/employees", "transform/bosses", "transform/staff", "check/staff")
    report.staged = {f"_refused/{name}": {"path": name, "rows": 1} for name in refused} | {
        "staff": {"path": "staff", "rows": 5}
    }
    session: Any = None
    run = RowsAlone(session, made, report, print, chosen="true")
    assert [staged.path for staged in run.refused_again()] == ["extract/employees", "transform/staff", "check/staff"]
    assert len(Accounts(report=report, staging=run.staging, say=print).refused()) == len(refused)


@pytest.mark.parametrize("first", [SOUND, BOSS, ("clean", Clean(nulls=("X",)))])
def test_a_cleaned_record_would_come_to_the_steps_before_clean_as_another_row(first: tuple[str, Any]) -> None:
    """Refused behind `clean`, a row is kept as that left it, and goes through all steps once more."""
    clean = ("clean", Clean(trim="all"))

    def changed(*steps: tuple[str, Any]) -> str:
        return Way(load="l", source="s", datasets=frozenset("s"), steps=steps).changed({"boss": None})

    assert changed(first, clean) == "step clean changes what the steps before it have seen"
    assert first[0] == "clean" or changed(clean, first) == ""


@pytest.mark.parametrize(
    ("rule", "dataset", "is_told"), [("", "", True), ("type amount", "", False), ("", "staff", False)]
)
def test_a_replay_of_some_rows_says_of_the_others_not_that_todays_file_was_tried(
    rule: str, dataset: str, is_told: bool
) -> None:
    """One commit stands for all rows of its window; the nightly replay goes by its fingerprint."""
    made = plan(Path("p"), day(1), attempt(1))
    few = _of_few(Order(name="rows", plans=(made,), options={"rule": rule, "dataset": dataset}))
    unit = LoadUnit(pipeline="flights", destination="lake", window=made.window)
    context: Any = SimpleNamespace(plan=few, files={}, sources={})
    lake: Any = None
    claim = Claim(pipeline="flights", load="lake", scope={})
    attempting = Attempting(lake=lake, unit=unit, claim=claim, context=context)
    assert attempting.entry(1).get("fingerprint", "") == (made.fingerprint if is_told else "")
