"""A job's name says which of its token's jobs it is, and leaves room for what Kubernetes and its operators append."""

from __future__ import annotations

import pytest

from airflow_provider_etl.engines.base import Handle, Job

JOB = Job(token="a" * 64, plan={}, owner="e" * 64)


def test_every_number_is_read_back_and_no_name_comes_twice() -> None:
    names = [JOB.name(number) for number in range(1, 2000)]
    assert [Handle(token="", id="", name=name).ordinal for name in names] == list(range(1, 2000))
    assert {name.count("-") for name in names} == {3}
    assert {name.split("-")[-2] for name in names} == {JOB.key}


@pytest.mark.parametrize(("number", "end"), [(1, "-1"), (99, "-99"), (100, "-a0"), (1035, "-zz")])
@pytest.mark.parametrize("suffix", ["-driver", "-ui-svc", "-volume"])
def test_a_name_with_what_is_appended_is_a_label(number: int, end: str, suffix: str) -> None:
    name = JOB.name(number)
    assert name.endswith(end)
    assert len(name + suffix) <= 63


@pytest.mark.parametrize("name", ["", "etl-a-b", "etl-a-b-x", "etl-a-b-xyz", "etl-a-b-é1"])
def test_a_name_of_somebody_else_has_no_number(name: str) -> None:
    assert Handle(token="", id="", name=name).ordinal == 0
