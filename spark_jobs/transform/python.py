"""`python`: a function of the deployment's own."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.allowing import allows
from spark_jobs.columns import listed
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.expressions import stops_early
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, bad_types, plain_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_FUNCTION: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)
_SHAPE: Final = "module:function, such as company.etl.orders:with_margin"


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

    @property
    def module(self) -> str:
        """Where the function is; empty where the text names none."""
        found = _FUNCTION.fullmatch(self.function)
        return found[1] if found else ""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = {} if self.module else {"function": f"{self.function!r} is no {_SHAPE}"}
        strange = [name for name in self.options if not name.isidentifier()]
        return found | ({"options": f"{strange[0]!r} can't be an argument's name"} if strange else {})

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
        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{context.where}.{option}", expected=_SHAPE)
        function = self._function(context)
        found = self._called(function, rows, context.where)
        if stops_early(found, rows):
            # It may leave the rows half read, and they would be miscounted: a shuffle reads them whole.
            found = self._called(function, rows.hint("rebalance"), context.where)
        self._refuse_broken_promise(found, context.where)
        return found

    def _function(self, context: Context) -> Callable[..., Any]:
        where, name = f"{context.where}.function", self.function.partition(":")[2]
        _refuse(self.module, context.plan.allowed_python, where)
        try:
            function: Callable[..., Any] = getattr(importlib.import_module(self.module), name)
        except Exception as error:  # a module may fail in any way when it is imported
            raise ConfigError(
                f"{self.function!r} can't be imported: {type(error).__name__}: {error}",
                where=where,
                remedy="install it where Spark's driver runs",
            ) from error
        if not callable(function):
            raise ConfigError(f"{self.function!r} is {type(function).__name__}", where=where, expected="a function")
        # What an allowed module imports from others isn't its own.
        _refuse(str(getattr(function, "__module__", None)), context.plan.allowed_python, where)
        return function

    def _called(self, function: Callable[..., Any], rows: DataFrame, where: str) -> DataFrame:
        from pyspark.errors import PySparkException
        from pyspark.sql import DataFrame

        try:
            inspect.signature(function).bind(rows, **self.options)
        except TypeError as error:
            raise ConfigError(
                f"{self.function} can't be called so: {error}",
                where=f"{where}.options",
                expected=f"{self.function}{inspect.signature(function)}",
            ) from error
        try:
            found = function(rows, **self.options)
        except (EtlError, PySparkException):
            raise  # told with its own words
        except Exception as error:  # somebody else's code may fail in any way; it is told here
            raise ConfigError(f"{self.function} fails: {type(error).__name__}: {error}", where=where) from error
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


def _refuse(module: str, allowed: Iterable[str], where: str) -> None:
    if not allows(module, allowed):
        raise ConfigError(
            f"the deployment doesn't allow python steps from {module}",
            where=where,
            expected=f"a module of {', '.join(allowed) or 'none: none is allowed'}",
            remedy="name it in [etl] allowed_python",
        )
