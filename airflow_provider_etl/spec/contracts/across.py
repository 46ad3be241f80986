"""A table between two pipelines: what its load gives, held against the contract under which another one reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.spec.contracts.contract import Contract
from airflow_provider_etl.spec.contracts.using import Kept
from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.tables import place_of, places
from airflow_provider_etl.spec.variables import names_window
from spark_jobs.check.conforms import Conforms
from spark_jobs.extract.formats import FORMATS
from spark_jobs.outline import Outline, Scope

if TYPE_CHECKING:
    from airflow_provider_etl.spec.loaded import Loaded
    from airflow_provider_etl.spec.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Read:
    """A source under a contract.

    Args:
        source: its name.
        place: the table, as places of several pipelines can be compared.
        contract: what it relies on.
        typed: whether the table's own types arrive; text has none.
        closed: whether it stops at columns that the contract doesn't name.
    """

    source: str
    place: str
    contract: Contract
    typed: bool
    closed: bool


@dataclass(frozen=True, kw_only=True)
class Written:
    """A load: its table, the columns that it gives it, as far as they are known, and the contract that it keeps."""

    load: str
    place: str
    outline: Outline
    contract: Contract | None


def read_by(pipeline: Pipeline, contracts: Sequence[Kept]) -> tuple[Read, ...]:
    """The tables that a pipeline reads under a contract.

    Args:
        pipeline: it.
        contracts: those that its sources and loads keep.
    """
    found = []
    for kept in contracts:
        kind = pipeline.extract.get(kept.name) if kept.side == "extract" else None
        for place in _places(kind, pipeline) if kind is not None else ():
            text = next((item for name, item in FORMATS.items() if name == getattr(kind, "format", None)), None)
            closed = getattr(kind, "new_columns", "") == "freeze"
            typed = text is None or text.typed
            found.append(Read(source=kept.name, place=place, contract=kept.contract, typed=typed, closed=closed))
    return tuple(found)


def written_by(
    pipeline: Pipeline, contracts: Sequence[Kept], outlines: Mapping[str, Outline], scope: Scope
) -> tuple[Written, ...]:
    """The tables that a pipeline loads.

    Args:
        pipeline: it.
        contracts: those that its sources and loads keep.
        outlines: dataset -> its columns, as far as they are known.
        scope: what a kind may ask.
    """
    found = []
    kept = {item.name: item.contract for item in contracts if item.side == "load"}
    for name, (dataset, kind) in pipeline.load.items():
        rows, outline = outlines.get(dataset, Outline()), getattr(kind, "outline", None)
        if outline is not None:
            rows = outline(rows, scope)
        found += [
            Written(load=name, place=place, outline=rows, contract=kept.get(name)) for place in _places(kind, pipeline)
        ]
    return tuple(found)


def _places(kind: Any, pipeline: Pipeline) -> Iterator[str]:
    for _, place in places(kind):
        if not names_window(place):
            yield place_of(kind, place, pipeline.environment.project)


def told(files: Sequence[Loaded]) -> Iterator[Diagnostic]:
    """Where a load of one file would break the contract under which another one, or the same, reads its table."""
    readers = [(file, read) for file in files for read in file.read]
    for file in files:
        for written in file.written:
            for reader, read in readers:
                if read.place == written.place:
                    broken = list(_broken(file, written, reader, read))
                    yield from broken or _unpromised(file, written, reader, read)


def _broken(file: Loaded, written: Written, reader: Loaded, read: Read) -> Iterator[Diagnostic]:
    wanted = read.contract.types if read.typed else dict.fromkeys(read.contract.types, "")
    for wrong in Conforms(columns=wanted, closed=read.closed).misfits(written.outline, _Nothing()):
        if wrong.code in ("unknown-column", "type-mismatch") and (read.typed or wrong.code == "unknown-column"):
            column = wrong.option.partition(".")[2]
            place = read.contract.at("columns", column) if column else read.contract.at("columns")
            message = (
                f"source {read.source!r} of {reader.path} reads this table under {read.contract.told}, {place}: "
                f"{wrong.message.replace(' ()', '')}"
            )
            yield file.told(("load", written.load), "contract-broken", message, wrong.hint)


def _unpromised(file: Loaded, written: Written, reader: Loaded, read: Read) -> Iterator[Diagnostic]:
    """What a reader relies on and the load's own contract doesn't promise: it may hold today, and not tomorrow."""
    from airflow_provider_etl.contracts.compare import looser

    if written.contract is None or written.contract.path == read.contract.path:
        return
    for change in looser(read.contract, written.contract, typed=read.typed):
        message = (
            f"source {read.source!r} of {reader.path} relies on more than {written.contract.told} promises, "
            f"{change.place}: {change.path} is looser than in {read.contract.told}"
        )
        hint = "promise it, or let the reader rely on less"
        yield file.told(("load", written.load), "contract-unpromised", message, hint, severity="warning")


class _Nothing:
    """A scope that knows nothing: a check of columns asks it nothing."""

    datasets: Mapping[str, Outline] = {}

    def type_of(self, text: str, rows: Outline) -> str | None:  # noqa: ARG002 - the protocol's
        """Unknown."""
        return None

    def query(self, text: str, rows: Outline | None) -> Outline:  # noqa: ARG002
        """Unknown."""
        return Outline()
