"""`lookup` and `surrogate_key` in a file: columns are followed, what cannot be is told before anything runs."""

from __future__ import annotations

import pytest

from tests.spec.conftest import Project, project
from tests.spec.test_columns import codes, found, pipeline

__all__ = ["project"]
WITH = "with: customers, on: {Customer: customer}"


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (f"lookup: {{{WITH}, columns: [nam]}}", ["28:67 unknown-column transform[1].lookup.columns[0]"]),
        (f"lookup: {{{WITH}, columns: [name], order_by: [nam desc]}}", ["28:85 unknown-column transform[1].lookup"]),
        (f"lookup: {{{WITH}, columns: [name], default: {{name: 5}}}}", ["28:90 type-mismatch transform[1].lookup"]),
        (f"lookup: {{{WITH}, columns: [name], default: {{id: x}}}}", ["28:83 option-conflict transform[1].lookup"]),
        (f"lookup: {{{WITH}}}", ["28:20 column-collision transform[1].lookup.with"]),  # both have id
        ("lookup: {with: customers, on: {id: id}, columns: [name]}", ["28:35 type-mismatch transform[1].lookup.on"]),
        (f"lookup: {{{WITH}, columns: [name], unmatched: drop, default: {{name: x}}}}", ["option-conflict"]),
        (f"lookup: {{{WITH}, columns: [name], infer: {{dimension: d, key: id}}}}", ["option-conflict"]),
        ("surrogate_key: {dimension: d, keys: [idd], as: k}", ["28:42 unknown-column"]),
        ("surrogate_key: {dimension: d, keys: [], as: k}", ["option-conflict"]),
        ("surrogate_key: {dimension: d, keys: [id], as: ID}", ["column-collision"]),
        ("surrogate_key: {dimension: '', keys: [id], as: k}", ["invalid-value"]),
    ],
)
def test_what_cannot_be_is_told(project: Project, step: str, told: list[str]) -> None:
    given = codes(found(project, pipeline(step)))
    assert len(given) == len(told), given
    assert all(part in line for part, line in zip(told, given, strict=True)), given


def test_the_columns_that_come_are_known_behind_it(project: Project) -> None:
    steps = (
        "surrogate_key: {dimension: order, keys: [id], as: order_key}",
        f"lookup: {{{WITH}, columns: [name], default: {{name: nobody}}}}",
        "filter: order_key > 0 AND name <> 'nobody'",
    )
    assert found(project, pipeline(*steps)) == []
    (told,) = found(project, pipeline(*steps, "filter: _inferred"))
    assert "unknown-column" in told
    inferring = "lookup: {with: customers, on: {Customer: customer}, columns: [name], infer: {dimension: c, key: name}}"
    assert found(project, pipeline(inferring, "filter: NOT _inferred AND name IS NOT NULL")) == []
