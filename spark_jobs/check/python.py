"""`python`: what a function of the deployment's own says of the rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import judged, no_room
from spark_jobs.check.rule import Figure, Question, Verdict
from spark_jobs.columns import column, spare
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed
from spark_jobs.flow import Context
from spark_jobs.functions import Called
from spark_jobs.kinds import PYDANTIC

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_GIVES = "a condition (Column), True or False, or a number"


@dataclass(frozen=True, kw_only=True)
class Python:
    """Ask a Python function, which gets the staged rows (a DataFrame) first and `options` by their names.

    It gives a condition (a Column of booleans) that holds in every row that passes: it is asked in the one aggregate,
    and where it is null it doesn't hold. Or, by an action of its own, `True` or `False`, or a number that lies between
    `min` and `max`. `[etl] allowed_python` names the modules; the function must be pure. Its code isn't part of the
    fingerprint: give it a `version` among the options, and raise that, where it changes.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = 'python: {function: "company.etl.checks:plausible", options: {limit: 3}, mostly: 0.99}'

    function: str = field(metadata={"function": True})
    """`module:function`."""
    options: dict[str, Any] = field(default_factory=dict)
    """Its other arguments, by name."""
    min: int | float | None = None
    """Smallest number allowed, where it gives one."""
    max: int | float | None = None
    """Largest number allowed."""
    strict_min: bool = False
    """Whether `min` itself is out of range."""
    strict_max: bool = False
    """Whether `max` itself is out of range."""
    mostly: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Share of rows, 0 to 1, that must pass, where it gives a condition, else the check fails; default 1, and 0 with
    `on_fail: quarantine`."""
    on_fail: Literal["stop", "quarantine", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports; `quarantine` sets the failing rows aside
    and loads the rest: only a condition tells which they are."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report and in the quarantine; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = Called(name=self.function, options=self.options).conflicts()
        if not self._bounded:
            return found
        if self.mostly is not None or self.on_fail == "quarantine":
            option = "mostly" if self.mostly is not None else "on_fail"
            return found | {option: "a number has no rows that fail: take min and max out, or this"}
        return found | no_room(self, "number")

    @property
    def _bounded(self) -> bool:
        return self.min is not None or self.max is not None

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question | Figure, ...]:
        """One question, or a figure that is known by then.

        Raises:
            ConfigError: the deployment doesn't allow its module, it can't be called so, it fails, or gives something
                else.
        """
        from pyspark.sql import Column

        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{context.where}.{option}")
        call = Called(name=self.function, options=self.options)
        found = call.given(call.function(context), rows, context.where)
        if isinstance(found, Column):
            self._demand(not self._bounded, "a condition", "neither min nor max", context)
            return (self._question(found, rows, context),)
        number = isinstance(found, (int, float)) and not isinstance(found, bool)
        self._demand(number or isinstance(found, bool), type(found).__name__, _GIVES, context)
        told = "a number" if number else "True or False"
        self._demand(number == self._bounded, told, "min or max" if number else "neither min nor max", context)
        self._demand(self.on_fail != "quarantine" and self.mostly is None, told, "a condition", context)
        return (Figure(column=None, judge=lambda _: self._judge(found)),)

    def _demand(self, holds: bool, found: str, expected: str, context: Context) -> None:
        if not holds:
            raise ConfigError(f"{self.function} gives {found}", where=context.where, expected=expected)

    def _judge(self, found: float) -> Verdict:
        if isinstance(found, bool):
            return Verdict(success=found, observed=found, message="" if found else f"{self.function} says no")
        return judged(found, self, f"what {self.function} gives")

    def _question(self, holds: Column, rows: DataFrame, context: Context) -> Question:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        flag = spare(rows.columns, f"holds {context.where}")
        flagged = analysed(lambda: rows.withColumn(flag, holds), rows.columns, context.where)
        kind = flagged.schema[flag].dataType.simpleString()
        self._demand(kind == "boolean", f"a column of {kind}", "a condition (a column of booleans)", context)
        return Question(
            column=self.function,
            failing=~F.coalesce(column(flag), F.lit(False)),
            counted=None,
            reason=F.lit(f"{self.function} doesn't hold"),
            says=f"don't fulfil {self.function}",
            prepare=lambda given: given.withColumn(flag, holds),
            values=(),
        )
