"""Given settings that hold for a while, then they are what they were afterwards, whoever comes and goes in between."""

from __future__ import annotations

from typing import Any

import pytest

from spark_jobs.settings import changed, own

KEY = "spark.some.setting"


class Conf(dict[str, str]):
    """A session's settings."""

    set, unset = dict.__setitem__, dict.__delitem__

    @property
    def conf(self) -> Conf:
        return self


@pytest.mark.parametrize("before", [{}, {KEY: "users"}])
def test_one_block_in_another(before: dict[str, str]) -> None:
    spark: Any = Conf(before)
    with changed(spark, KEY, "outer"):
        with changed(spark, KEY, "inner"):
            assert spark == {KEY: "inner"}
        assert spark == {KEY: "outer"}
        assert own(spark, KEY) == before.get(KEY)
    assert spark == before


@pytest.mark.parametrize("before", [{}, {KEY: "users"}])
def test_blocks_of_two_threads_that_overlap(before: dict[str, str]) -> None:
    """The first to come is the first to go: it must not take the setting from the other, nor leave its own behind."""
    spark: Any = Conf(before)
    first, second = changed(spark, KEY, "ours"), changed(spark, KEY, "ours")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert spark == {KEY: "ours"}
    assert own(spark, KEY) == before.get(KEY)
    second.__exit__(None, None, None)
    assert spark == before
    assert own(spark, KEY) == before.get(KEY)


def test_a_setting_that_spark_refuses_leaves_nothing() -> None:
    class Refusing(Conf):
        def set(self, key: str, value: str) -> None:
            raise ValueError(key, value)

    spark: Any = Refusing()
    with pytest.raises(ValueError, match=KEY), changed(spark, KEY, "1"):
        pass
    assert own(spark, KEY) is None
    assert spark == {}
