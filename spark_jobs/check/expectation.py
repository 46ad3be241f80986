"""`expectation`: one of Great Expectations', asked of Great Expectations itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from spark_jobs.check.gx_foreign import FOREIGN, IGNORED, beyond
from spark_jobs.check.gx_names import EXPECTATIONS, OTHERS
from spark_jobs.check.gx_query import PARSER
from spark_jobs.check.regex import doubtful
from spark_jobs.columns import listed, nearest
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope

_PARSERS: Final = (None, "spark", "great_expectations", "great_expectations__experimental__")


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One of Great Expectations', which answers it on Spark: for those that no other check here is the equal of.

    All of a dataset's are one run of Great Expectations over what was staged, after the pass that answers the other
    checks. It reads the rows several times and needs `pip install 'airflow-provider-etl[gx]'`. Its own name is short
    for it: `expect_column_max_to_be_between: {column: amount, max_value: 1000}`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    requires: ClassVar[tuple[str, ...]] = ("great_expectations",)
    example: ClassVar[str] = (
        "expectation: {type: expect_column_max_to_be_between, kwargs: {column: amount, max_value: 1000}}"
    )

    type: str
    """Its name there, such as `expect_column_value_z_scores_to_be_less_than`."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Its arguments, by the names that they have there; `mostly` and `row_condition` are among them."""
    on_fail: Literal["stop", "quarantine", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports; `quarantine` is refused: Great
    Expectations names no row."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind, or that of the expectation where it is written by it."""

    def __post_init__(self) -> None:
        """Lists are lists, as JSON has them: what is read of a file compares with what is read of a plan."""
        object.__setattr__(self, "kwargs", _as_json(self.kwargs))

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        found = {}
        if self.type in OTHERS:
            found["type"] = f"{self.type} has no equal in this release: {OTHERS[self.type]}"
        elif self.type not in FOREIGN and self.type not in EXPECTATIONS:
            near = nearest(self.type, [*FOREIGN, *EXPECTATIONS])
            found["type"] = f"Great Expectations has no {self.type!r}{'; ' + near if near else ''}"
        complaint = None if found else next(self._complaints(), None)
        if complaint is not None:
            found["kwargs"] = complaint
        if self.on_fail == "quarantine":
            found["on_fail"] = "Great Expectations counts failing rows and names none to set aside: stop, ask or warn"
        return found

    def _complaints(self) -> Iterator[str]:
        """What is wrong with the arguments, as far as it is seen without Great Expectations."""
        foreign = FOREIGN.get(self.type)
        known = foreign or (*EXPECTATIONS[self.type].arguments, *beyond(self.type))
        if _has_parameter(self.kwargs):
            yield "$PARAMETER stands for a value that Great Expectations isn't given here: write the value"
        for key in self.kwargs:
            if key not in (*known, *IGNORED):
                yield f"{self.type} has no argument {key!r}; {nearest(key, known) or f'it has {listed(known)}'}"
        share, parser = self.kwargs.get("mostly"), self.kwargs.get(PARSER)
        if share is not None and (
            isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1
        ):
            yield f"mostly is {share!r}, and not a share from 0 to 1"
        if parser not in _PARSERS:
            yield f"{PARSER} is {parser!r}: Spark's are spark and great_expectations"
        for expression in (*_texts([self.kwargs.get("regex")]), *_texts(self.kwargs.get("regex_list"))):
            yield from doubtful(expression).values()
        if "strict_min" in known and all(self.kwargs.get(key) is None for key in ("min_value", "max_value")):
            yield f"{self.type} needs min_value, max_value or both: without them it always passes"

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns that it names: argument -> columns."""
        given = {key: self.kwargs.get(key) for key in ("column", "column_A", "column_B")}
        found = {key: (value,) for key, value in given.items() if isinstance(value, str)}
        several = _texts(self.kwargs.get("column_list"))
        return found | ({"column_list": several} if several else {})

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that can't be there, or that no contract names."""
        for key, names in self.columns.items() if self.type != "expect_column_to_exist" else ():
            for name in names:
                certainty = "none" if rows.spelled(name) else rows.may_have(name)
                if name in rows.columns or certainty == "any":
                    continue
                known, option = list(rows.columns), f"kwargs.{key}"
                hint = nearest(name, known) or f"there are {listed(known)}"
                if certainty == "none":
                    message = f"there is no column {name!r}"
                    yield Misfit(option=option, message=message, hint=hint, code="unknown-column")
                else:
                    message = f"no contract names column {name!r}"
                    yield Misfit(option=option, message=message, hint=hint, code="column-not-promised")


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def _texts(value: Any) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _has_parameter(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(key == "$PARAMETER" or _has_parameter(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_parameter(item) for item in value)
