"""Python functions of the deployment's own: only of modules that it allows."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.allowing import allows
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.flow import Context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_FUNCTION: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)
SHAPE: Final = "module:function, such as company.etl.orders:with_margin"


@dataclass(frozen=True, kw_only=True)
class Called:
    """A function as a pipeline file calls it.

    Args:
        name: `module:function`.
        options: its arguments beside the rows, by name.
    """

    name: str
    options: Mapping[str, Any]

    @property
    def module(self) -> str:
        """Where the function is; empty where the text names none."""
        found = _FUNCTION.fullmatch(self.name)
        return found[1] if found else ""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = {} if self.module else {"function": f"{self.name!r} is no {SHAPE}"}
        strange = [name for name in self.options if not name.isidentifier()]
        return found | ({"options": f"{strange[0]!r} can't be an argument's name"} if strange else {})

    def function(self, context: Context) -> Callable[..., Any]:
        """The function itself.

        Raises:
            ConfigError: the deployment doesn't allow its module, or it isn't there.
        """
        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{context.where}.{option}", expected=SHAPE)
        where, name = f"{context.where}.function", self.name.partition(":")[2]
        _refuse(self.module, context.plan.allowed_python, where)
        try:
            function: Callable[..., Any] = getattr(importlib.import_module(self.module), name)
        except Exception as error:  # a module may fail in any way when it is imported
            raise ConfigError(
                f"{self.name!r} can't be imported: {type(error).__name__}: {error}",
                where=where,
                remedy="install it where Spark's driver runs",
            ) from error
        if not callable(function):
            raise ConfigError(f"{self.name!r} is {type(function).__name__}", where=where, expected="a function")
        # What an allowed module imports from others isn't its own.
        _refuse(str(getattr(function, "__module__", None)), context.plan.allowed_python, where)
        return function

    def given(self, function: Callable[..., Any], rows: DataFrame, where: str) -> Any:
        """What the function gives for rows.

        Raises:
            ConfigError: it can't be called so, or it fails.
        """
        from pyspark.errors import PySparkException

        try:
            inspect.signature(function).bind(rows, **self.options)
        except TypeError as error:
            raise ConfigError(
                f"{self.name} can't be called so: {error}",
                where=f"{where}.options",
                expected=f"{self.name}{inspect.signature(function)}",
            ) from error
        try:
            return function(rows, **self.options)
        except (EtlError, PySparkException):
            raise  # told with its own words
        except Exception as error:  # somebody else's code may fail in any way; it is told here
            raise ConfigError(f"{self.name} fails: {type(error).__name__}: {error}", where=where) from error


def _refuse(module: str, allowed: Iterable[str], where: str) -> None:
    if not allows(module, allowed):
        raise ConfigError(
            f"the deployment doesn't allow python steps from {module}",
            where=where,
            expected=f"a module of {', '.join(allowed) or 'none: none is allowed'}",
            remedy="name it in [etl] allowed_python",
        )
