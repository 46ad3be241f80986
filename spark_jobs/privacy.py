"""Which refused rows would say what a `mask` step hides, and what is kept of them instead.

A source that a masked dataset comes from is open: its rows, and those of every dataset made of it, hold values that the
mask hides, up to a mask on their own way. Of such rows the quarantine keeps where they are, and not what they hold:
file and line, dataset, rules. Rows that are refused behind the mask are kept as the table has them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MESSAGE: Final = "not shown: the pipeline masks values of this dataset"


def read_by(kind: Any, names: list[str]) -> set[str]:
    """The datasets that a kind reads beside its own rows: those that its options name, or whose names are in a query.

    Args:
        kind: a source or step.
        names: all there are.
    """
    found: set[str] = set()
    for item in dataclasses.fields(kind):
        value = getattr(kind, item.name)
        if item.metadata.get("dataset"):
            found |= {value} if isinstance(value, str) else set(value or ())
        elif item.metadata.get("query"):
            words = set(re.findall(r"\w+", str(value).lower()))
            found |= {name for name in names if set(re.findall(r"\w+", name.lower())) <= words}
    return found


def masks(kind: Any) -> bool:
    """Whether a step hides values."""
    return bool(getattr(kind, "masks", False))


@dataclass(frozen=True)
class Privacy:
    """What a plan's masks mean for rows that are set aside.

    Args:
        plan: the plan.
    """

    plan: Plan

    def hides(self, dataset: str, step: int | None = None) -> bool:
        """Whether rows hold values that a mask hides.

        Args:
            dataset: a source or dataset.
            step: the place of a step: the rows that go into it; None: those of the finished dataset.
        """
        return self._open.get((dataset, step), False)

    @property
    def anything(self) -> bool:
        """Whether anything is masked."""
        return any(masks(kind) for dataset in self.plan.transform.values() for _, kind in dataset.steps)

    def holds_personal(self, name: str) -> bool:
        """Whether a dataset comes from columns that a contract calls personal (`pii`), or holds what a mask has made.

        Which of its columns those are, queries and expressions have made unsure: it is said of all of them.
        """
        here = {name, *self._upwards(name)}
        contracts = [getattr(self.plan.extract[other], "columns", None) for other in here if other in self.plan.extract]
        columns = (item for found in contracts if isinstance(found, Mapping) for item in found.values())
        datasets = [self.plan.transform[other] for other in here if other in self.plan.transform]
        masked = any(masks(kind) for dataset in datasets for _, kind in dataset.steps)
        return masked or any(getattr(item, "pii", False) for item in columns)

    def forbids(self, name: str) -> bool:
        """Whether no value of a dataset may be told to those who read a report."""
        return self.hides(name) or self.holds_personal(name)

    def kept(self, refused: DataFrame, dataset: str, step: int | None = None) -> DataFrame:
        """What is kept of refused rows.

        Args:
            refused: in the shape of aside.REFUSED.
            dataset: as for `hides`.
            step: as for `hides`.
        """
        if not self.hides(dataset, step):
            return refused
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return refused.withColumns({"raw": F.lit(None).cast("string"), "message": F.lit(MESSAGE)})

    @cached_property
    def _names(self) -> list[str]:
        return [*self.plan.extract, *self.plan.transform]

    @cached_property
    def _open(self) -> dict[tuple[str, int | None], bool]:
        """(dataset, step) -> whether what goes into it holds what a mask hides."""
        above = self._above_masks()
        found: dict[tuple[str, int | None], bool] = {}
        for name, source in self.plan.extract.items() if above else ():
            found[name, None] = name in above or any(found.get((other, None)) for other in self._read(source, name))
        for name, dataset in self.plan.transform.items() if above else ():
            now = found.get((dataset.source, None), False)
            for place, (_, kind) in enumerate(dataset.steps):
                found[name, place] = now
                now = now or any(found.get((other, None)) for other in self._read(kind, name))
                now = now and not masks(kind)
            found[name, None] = now
        return found

    def _above_masks(self) -> set[str]:
        """The sources and datasets that anything masked comes from."""
        found: set[str] = set()
        for name, dataset in self.plan.transform.items():
            places = [place for place, (_, kind) in enumerate(dataset.steps) if masks(kind)]
            if places:
                found |= set(self._upwards(name, places[-1]))
        return found

    def _upwards(self, name: str, steps: int | None = None) -> Iterator[str]:
        """What a dataset comes from, by way of its first steps."""
        waiting, seen = list(self._origins(name, steps)), set[str]()
        while waiting:
            other = waiting.pop()
            if other not in seen:
                seen.add(other)
                yield other
                waiting += self._origins(other)

    def _origins(self, name: str, steps: int | None = None) -> Iterator[str]:
        if name in self.plan.extract:
            yield from self._read(self.plan.extract[name], name)
        elif name in self.plan.transform:
            dataset = self.plan.transform[name]
            yield dataset.source
            for _, kind in dataset.steps[:steps]:
                yield from self._read(kind, name)

    def _read(self, kind: Any, name: str) -> set[str]:
        return read_by(kind, self._names) - {name}
