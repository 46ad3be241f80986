"""`python`: a function of the deployment's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import listed
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import stops_early
from spark_jobs.flow import Context
from spark_jobs.functions import Called
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, bad_types, plain_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Python:
    """Hand the rows to a Python function, DataFrame to DataFrame, of a module that the deployment allows.

    `[etl] allowed_python` names the modules. The function gets the rows first and `options` by their names; it must
    be pure, lazy and the same for the same rows: nothing can see to that. Its code isn't part of the fingerprint: give
    it a `version` among the options, and raise that, where its results change.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = 'python: {function: "company.etl.orders:with_margin", options: {rate: 0.19}}'
    effect: ClassVar[str] = "reshape"

    function: str = field(metadata={"function": True})
    """`module:function`."""
    options: dict[str, Any] = field(default_factory=dict)
    """Its other arguments, by name."""
    columns: dict[str, str] = field(default_factory=dict)
    """The columns that come out, with their Spark SQL types, for `lint` and as a promise: other ones are an error."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return self._call.conflicts()

    def outline(self, _rows: Outline, _scope: Scope) -> Outline:
        """The columns that it promises; without, nothing is known."""
        columns = {name: plain_type(kind) for name, kind in self.columns.items()}
        return Outline(columns=columns, rest="none" if columns else "any")

    def misfits(self, _rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Types that Spark doesn't know."""
        return bad_types("columns", self.columns)

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """What the function gives.

        Raises:
            ConfigError: the deployment doesn't allow its module, it can't be called so, it fails, or it gives something
                else than rows with the columns that it promises.
        """
        function = self._call.function(context)
        found = self._called(function, rows, context.where)
        if stops_early(found, rows):
            # It may leave the rows half read, and they would be miscounted: a shuffle reads them whole.
            found = self._called(function, rows.hint("rebalance"), context.where)
        self._refuse_broken_promise(found, context.where)
        return found

    @property
    def _call(self) -> Called:
        return Called(name=self.function, options=self.options)

    def _called(self, function: Callable[..., Any], rows: DataFrame, where: str) -> DataFrame:
        from pyspark.sql import DataFrame

        found = self._call.given(function, rows, where)
        if not isinstance(found, DataFrame):
            raise ConfigError(f"{self.function} gives {type(found).__name__}", where=where, expected="a DataFrame")
        return found

    def _refuse_broken_promise(self, found: DataFrame, where: str) -> None:
        from pyspark.sql.types import DataType

        if not self.columns:
            return
        promised = {name: DataType.fromDDL(kind) for name, kind in self.columns.items()}
        given = {item.name: item.dataType for item in found.schema.fields}
        wrong = [name for name in {**promised, **given} if promised.get(name) != given.get(name)]
        if wrong or list(given) != list(promised):
            told = [f"{name} {kind.simpleString()}" for name, kind in given.items()]
            raise ConfigError(
                f"{self.function} gives {listed(told)}",
                where=f"{where}.columns",
                expected=", ".join(f"{name} {kind.simpleString()}" for name, kind in promised.items()),
            )
