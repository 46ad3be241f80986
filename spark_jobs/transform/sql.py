"""`sql`: a SELECT of one's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Outline, Scope
from spark_jobs.queries import answer, named_in

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Sql:
    """One SELECT; the incoming rows are the table `input`, every other dataset is a table of its own name."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "sql: SELECT customer, sum(amount) AS amount FROM input GROUP BY customer"
    effect: ClassVar[str] = "reshape"
    shorthand: ClassVar[str] = "query"

    query: str = field(metadata={"query": True, "substitute": "sql"})
    """Spark SQL, one SELECT, such as `SELECT carrier, count(*) AS flights FROM input GROUP BY carrier`."""

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """What the query selects."""
        return scope.query(self.query, rows)

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows that the query answers.

        Raises:
            ConfigError: Spark refuses the query, it calls Java code, or a dataset is called `input`.
        """
        if "input" in {name.lower() for name in context.datasets}:
            raise ConfigError(
                "a dataset is called 'input', as are the incoming rows of a sql step",
                where=context.where,
                remedy="rename the dataset",
            )
        return answer(self.query, {"input": rows} | named_in(self.query, context.datasets), context)
