"""`mask` in a pipeline file, and personal columns on their way to a load."""

from __future__ import annotations

import pytest

from spark_jobs.connections import named_by
from spark_jobs.plan import Attempt
from tests.spec.conftest import Project, project
from tests.spec.test_columns import APPEND, codes, found, pipeline

__all__ = ["project"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("{columns: {Custmer: redact}}", "28:22 unknown-column transform[1].mask.columns.Custmer"),
        ("{columns: {Customer: hsah}, key: k}", "28:32 unknown-value transform[1].mask.columns.Customer"),
        ("{columns: {Customer: hash}}", "28:5 option-conflict transform[1].mask"),
        ("{columns: {Customer: redact}, key: k}", "28:46 option-conflict transform[1].mask.key"),
        ("{columns: {amount: partial}}", "28:30 type-mismatch transform[1].mask.columns.amount"),
        ("{detect: [emial]}", "28:21 unknown-value transform[1].mask.detect[0]"),
        ("{detect: [email], among: [id]}", "28:36 type-mismatch transform[1].mask.among"),
        ("{}", "28:5 option-conflict transform[1].mask"),
        ("{columns: {Custmer.email: redact}}", "28:22 unknown-column transform[1].mask.columns.Custmer.email"),
        ("{columns: {Customer.email: redact}}", "28:38 type-mismatch transform[1].mask.columns.Customer.email"),
    ],
)
def test_what_cannot_be_masked_is_told(project: Project, options: str, told: str) -> None:
    (line,) = found(project, pipeline(f"mask: {options}"))
    assert line.startswith(told)


def test_fields_of_structs_are_named_by_their_paths_and_the_others_stay_personal(project: Project) -> None:
    step = "mask: {columns: {who.email: redact}, detect: [phone], among: [who.notes]}"
    made = "derive: {who: \"named_struct('email', Customer, 'notes', array(Customer))\"}"
    assert personal(project, made, "drop: [Customer]", step) == ["who"]


def test_a_masked_column_is_text_and_the_plan_names_the_connection_alone(project: Project) -> None:
    steps = ("mask: {columns: {id: hash, amount: redact}, key: masking}", "filter: id > 5 AND amount > 0")
    assert found(project, pipeline(steps[0], "mask: {columns: {id: partial}}")) == []
    made = project.pipeline(pipeline(*steps))
    plan = made.plan(made.window_of("2013-01-01"), Attempt(number=1, token="t", run="r"))
    assert named_by(plan) == {"masking": "transform.result[0].mask.key"}


def personal(project: Project, *steps: str) -> list[str]:
    """The columns that are told to reach a load."""
    text = pipeline(*steps, load=APPEND).replace("Customer: {type: string}", "Customer: {type: string, pii: true}")
    told = found(project, text)
    assert {code.split()[1] for code in codes(told)} <= {"pii-unmasked"}, told
    return [line.split("'")[1] for line in told]


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ((), ["Customer"]),
        (("filter: id > 0", "dedupe: {keys: [id]}"), ["Customer"]),
        (("mask: {columns: {Customer: redact}}",), []),
        (("mask: {detect: [email]}",), ["Customer"]),
        (("drop: [Customer]",), []),
        (("select: [id]",), []),
        (("select: [id, Customer]",), ["Customer"]),
        (("rename: {Customer: who}",), ["who"]),
        (("rename: {Customer: who}", "mask: {columns: {who: redact}}"), []),
        (("cast: {Customer: binary}",), ["Customer"]),
        (
            ("derive: {short: 'substr(Customer, 1, 3)', size: length(Customer), known: Customer IS NOT NULL}",),
            ["Customer", "short"],
        ),
        (("derive: {Customer: \"'x'\"}",), []),
        (("aggregate: {by: [Customer], values: {n: count(*)}}",), ["Customer"]),
        (("aggregate: {by: [day], values: {n: count(Customer), last: max(Customer)}}",), ["last"]),
        (("surrogate_key: {dimension: c, keys: [Customer], as: key}", "drop: [Customer]"), []),
        (("sql: SELECT id FROM input",), []),
    ],
)
def test_a_personal_column_is_followed_to_the_load(project: Project, steps: tuple[str, ...], left: list[str]) -> None:
    assert personal(project, *steps) == left


def test_personal_columns_of_another_dataset_come_with_a_join(project: Project) -> None:
    steps = ("mask: {columns: {Customer: redact}}", "derive: {k: 'substr(Customer, 1, 1)'}")
    join = "lookup: {with: customers, on: {k: name}, columns: [customer]}"
    text = pipeline(*steps, "drop: [Customer]", join, load=APPEND)
    marked = text.replace("customer: {type: string}", "customer: {type: string, pii: true}")
    (told,) = found(project, marked)
    assert "pii-unmasked" in told
    assert "column 'customer' is personal" in told
