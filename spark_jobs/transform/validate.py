"""`validate`: rows that break a rule are set aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.errors import ConfigError
from spark_jobs.expressions import scalar
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, family
from spark_jobs.refusal import shaped
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Validate:
    """Set rows aside that break a rule, between two steps; a rule that gives null is broken.

    Rules are asked in their order, and of a row that breaks one the others aren't: a rule may rely on those before it.

    Checks judge the finished dataset, and may warn or stop instead.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = 'validate: {positive: amount > 0, dated: "ordered_at is not null"}'
    effect: ClassVar[Effect] = "refuse"
    shorthand: ClassVar[str] = "rules"
    whole: ClassVar[bool] = True

    rules: dict[str, str] = field(metadata={"expression": True})
    """Name of a rule -> a condition that good rows meet."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.rules else {"rules": "there is no rule"}

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The same columns."""
        return rows

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """Rules that are no conditions."""
        for name, text in self.rules.items():
            kind = scope.type_of(text, rows)
            if family(kind) not in {None, "boolean", "void"}:
                yield Misfit(option=name, message=f"{text!r} is {kind}, no condition", hint="compare it with something")

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows that break no rule.

        Raises:
            ConfigError: a rule that Spark refuses, or that is no condition.
        """
        return rows.where(self._first(rows, context)[0].isNull())

    def refused(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows that break one, with the first that they break."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        name, why = self._first(rows, context)
        left, rules = rows.where(name.isNotNull()), F.array(name)
        return shaped(left, rows.columns, dataset=context.dataset, stage="transform", rules=rules, message=why)

    def _first(self, rows: DataFrame, context: Context) -> tuple[Column, Column]:
        """The first rule that a row breaks, and why; null where it breaks none.

        A case asks in order and no further, where AND may ask whatever it likes: casts and divisions can fail.
        """
        from pyspark.sql import functions as F  # noqa: N812

        name = why = F.lit(None).cast("string")
        for rule, text in reversed(self.rules.items()):
            bad = self._broken(rule, rows, context)
            name = F.when(bad, F.lit(f"validate {rule}")).otherwise(name)
            why = F.when(bad, F.lit(f"{rule}: not {text}")).otherwise(why)
        return name, why

    def _broken(self, name: str, rows: DataFrame, context: Context) -> Column:
        from pyspark.sql import functions as F  # noqa: N812

        where = f"{context.where}.{name}"
        rule = scalar(self.rules[name], rows, where)
        kind = rows.select(rule.alias("rule")).schema[0].dataType.simpleString()
        if kind not in {"boolean", "void"}:
            raise ConfigError(f"{self.rules[name]!r} is {kind}", where=where, expected="a condition")
        return ~F.coalesce(rule.cast("boolean"), F.lit(False))
