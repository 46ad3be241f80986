"""From parsed records to the dataset's rows and those set aside, counted in the pass that moves them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Final

from spark_jobs.audit import SOURCE, origin, refuse_taken
from spark_jobs.errors import DataError
from spark_jobs.extract.totals import FILE, PROMISED, Totals
from spark_jobs.flow import Context, Flow
from spark_jobs.observe import Counter
from spark_jobs.privacy import Privacy
from spark_jobs.report import DatasetCounts

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_STATE: Final = "__etl_state__"
_ROW, _OUTSIDE, _BAD, _HEADER, _TRAILER, _WHOLE = range(6)
_SHOWN: Final = 3
REPEATED_HEADER: Final = "repeated_header"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a record is refused.

    Args:
        rule: short name, the same for all records refused so, such as `type dep_time`.
        when: true where the record has the problem, else false, never null.
        message: what was found and what was expected.
    """

    rule: str
    when: Column
    message: Column


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """Records of files that look alike, parsed but not judged.

    Args:
        frame: one row per record.
        values: name of a dataset's column -> its value in `frame`, in the dataset's order.
        broken: problems of the record as a whole; a record is refused by the first, its values aren't looked at.
        wrong: problems of single values; all are told.
        outside: true where the record belongs to another window; None where every record belongs to this one.
        raw, file, line: the record as it stood in the file, the file, the line or row number from 1 or null.
        header: true where a record looks exactly like the header; None where there is no header.
        headers: the files in which one such record is the header itself.
        header_line: the line in which the header stands.
        promised: where a record is its file's trailer: the count in it, else null; None where there are no trailers.
        origin: what `_source` says of the records; None for `file`.
        whole: where a record stands for a file that can't be read as a whole: why, else null; None where that can't be.
    """

    frame: DataFrame
    values: Mapping[str, Column]
    broken: Sequence[Problem] = ()
    wrong: Sequence[Problem] = ()
    outside: Column | None = None
    raw: Column
    file: Column
    line: Column
    header: Column | None = None
    headers: Sequence[str] = ()
    header_line: int = 1
    promised: Column | None = None
    whole: Column | None = None
    origin: Column | None = None

    def judged(self) -> DataFrame:
        """The dataset's columns and the state of each record."""
        return self.frame.select(*[value.alias(name) for name, value in self.values.items()], self._state())

    def weighed(self) -> DataFrame:
        """As `judged`, with what Totals add up."""
        more = [self.file.alias(FILE), self._promised().alias(PROMISED)]
        columns = [value.alias(name) for name, value in self.values.items()]
        return self.frame.select(*columns, self._state(), *more)

    def _promised(self) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return self.promised if self.promised is not None else F.lit(None).cast("bigint")

    def _state(self) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        nothing = F.lit(False)
        bad = _any([problem.when for problem in (*self.broken, *self.wrong)], nothing)
        header = self.header if self.header is not None else nothing
        outside = self.outside if self.outside is not None else nothing
        whole = self.whole.isNotNull() if self.whole is not None else nothing
        state = F.when(header, _HEADER).when(self._promised().isNotNull(), _TRAILER).when(whole, _WHOLE)
        return state.when(bad, _BAD).when(outside, _OUTSIDE).otherwise(_ROW).alias(_STATE)

    def refused(self, dataset: str) -> DataFrame:
        """The records set aside, in the shape of aside.REFUSED."""
        from pyspark.sql import functions as F  # noqa: N812

        problems = self._told()
        return (
            self.frame.where(F.size(problems) > 0)
            .select(problems.alias("problems"), self.raw.alias("raw"), self.file.alias("file"), self.line.alias("line"))
            .select(
                "raw",
                F.lit(dataset).alias("dataset"),
                F.lit("extract").alias("stage"),
                F.col("problems.rule").alias("rules"),
                F.array_join(F.col("problems.message"), "; ").alias("message"),
                F.col("file").alias("source_file"),
                F.col("line").cast("bigint").alias("source_line"),
            )
        )

    def _told(self) -> Column:
        """The problems of a record; empty where there are none."""
        from pyspark.sql import functions as F  # noqa: N812

        none = F.array().cast(_PROBLEMS)
        cases = [(problem.when, F.array(_struct(problem))) for problem in self._repeated()]
        cases += [(self.header, none)] if self.header is not None else []
        cases += [(self.promised.isNotNull(), none)] if self.promised is not None else []
        cases += [(problem.when, F.array(_struct(problem))) for problem in self.broken]
        wrong = F.array(*[F.when(problem.when, _struct(problem)) for problem in self.wrong])
        told = F.filter(wrong, lambda problem: problem.isNotNull()) if self.wrong else none
        for when, problems in reversed(cases):
            told = F.when(when, problems).otherwise(told)
        return told

    def _repeated(self) -> list[Problem]:
        from pyspark.sql import functions as F  # noqa: N812

        if self.header is None:
            return []
        message = F.lit("the header again: two files were put together, or exported in pieces")
        return [Problem(rule=REPEATED_HEADER, when=self.header & (self.line > self.header_line), message=message)]


def _any(conditions: Sequence[Column], nothing: Column) -> Column:
    """Whether one of them is true, put together pair by pair: ten thousand in a row are too deep for Spark."""
    if len(conditions) < 2:
        return conditions[0] if conditions else nothing
    half = len(conditions) // 2
    return _any(conditions[:half], nothing) | _any(conditions[half:], nothing)


_PROBLEMS: Final = "array<struct<rule:string,message:string>>"


def _struct(problem: Problem) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.struct(F.lit(problem.rule).alias("rule"), problem.message.alias("message"))


@dataclass(frozen=True, kw_only=True)
class Records:
    """All records of a source.

    Args:
        parse: gives the groups of records that look alike; its argument says whether lines are to be numbered.
        empty: a frame with the dataset's columns and no row.
        fail: whether a refused record is an error.
        mostly: share of records, 0 to 1, that must be good.
        context: what runs.
        totals: how many records the files say they have; None where they don't.
        audit: whether each row says where it came from, by the column `_source`.
    """

    parse: Callable[[bool], Sequence[Parsed]]
    empty: Callable[[], DataFrame]
    fail: bool
    mostly: float = 0.0
    context: Context
    totals: Totals | None = None
    audit: bool = False

    def flow(self) -> Flow:
        """The dataset, lazily.

        Raises:
            DataError: there is no record, where some are promised.
        """
        parsed = self.parse(False)
        if not parsed:
            if self.totals is not None and not self.totals.hold(defaultdict(int), ()):
                raise self.totals.broken(_nothing_seen(self.context), ())
            return Flow(rows=self._audited_nothing(), counts=DatasetCounts, refused=lambda: None)
        return _Counted(records=self, parsed=parsed).flow()

    def _audited_nothing(self) -> DataFrame:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        rows = self.empty()
        return rows.withColumn(SOURCE, F.lit(None).cast("string")) if self.audit else rows

    def refused(self) -> DataFrame:
        """The records set aside; reads the source again."""
        return _together([group.refused(self.context.dataset) for group in self.parse(True)])


@dataclass(frozen=True, kw_only=True)
class _Counted:
    records: Records
    parsed: Sequence[Parsed]
    found: list[DatasetCounts] = field(default_factory=list)

    def flow(self) -> Flow:
        from pyspark.sql import functions as F  # noqa: N812

        totals = self.records.totals
        parsed = [self._named(group) for group in self.parsed] if self.records.audit else self.parsed
        judged = _together([group.judged() if totals is None else group.weighed() for group in parsed])
        counter = Counter(judged, records=F.count(F.lit(1)), **self._metrics())
        rows = counter.rows.where(F.col(_STATE) == _ROW).drop(_STATE, FILE, PROMISED)
        return Flow(rows=rows, counts=lambda: self.counts(counter.values()), refused=self.refused)

    def _named(self, group: Parsed) -> Parsed:
        """Records that say where they came from."""
        refuse_taken(group.values, self.records.context.where)
        return replace(
            group, values={**group.values, SOURCE: origin(group.file if group.origin is None else group.origin)}
        )

    def _metrics(self) -> dict[str, Column]:
        """What is counted, where it can be: each count takes time for every record."""
        from pyspark.sql import functions as F  # noqa: N812

        states = {
            "bad": (_BAD, any(group.broken or group.wrong for group in self.parsed)),
            "outside": (_OUTSIDE, any(group.outside is not None for group in self.parsed)),
            "headers": (_HEADER, any(group.header is not None for group in self.parsed)),
            "trailers": (_TRAILER, any(group.promised is not None for group in self.parsed)),
            "wholes": (_WHOLE, any(group.whole is not None for group in self.parsed)),
        }
        # Not by count_if: Spark gives each of its conditions a column that every record is copied with.
        found = {
            name: F.count(F.when(F.col(_STATE) == state, True)) for name, (state, there) in states.items() if there
        }
        return found | (self.records.totals.metrics() if self.records.totals is not None else {})

    def counts(self, seen: Mapping[str, int]) -> DatasetCounts:
        """Where the records went.

        Raises:
            DataError: a record is refused where none may be, or more than `mostly` lets pass; a file can't be read as a
                whole, hasn't as many records as it says, or changed while it was read.
        """
        told = defaultdict(int, seen)
        if told["wholes"]:
            raise self._unreadable()
        headers = [file for group in self.parsed for file in group.headers]
        repeated = told["headers"] - len(headers)
        if repeated < 0:
            raise DataError("a file changed while it was read", where=self.records.context.where, remedy="run it again")
        totals = self.records.totals
        if totals is not None and not totals.hold(seen, headers):
            raise totals.broken(_together([group.weighed() for group in self.parsed]), headers)
        read = told["records"] - told["headers"] - told["trailers"] + repeated
        quarantined = told["bad"] + repeated
        counts = DatasetCounts(
            read=read, filtered=told["outside"], quarantined=quarantined, rows=read - told["outside"] - quarantined
        )
        self.found[:] = [counts]
        if quarantined and self.records.fail:
            self._fail(quarantined, "none (bad_records: fail)", "mend the files, or set bad_records: quarantine")
        if read and (read - quarantined) / read < self.records.mostly:
            share = f"at least {100 * self.records.mostly:g} % of {read} records good (mostly)"
            self._fail(quarantined, share, "mend the files, or lower mostly")
        return counts

    def refused(self) -> DataFrame | None:
        return None if self.found and not self.found[0].quarantined else self.records.refused()

    def _unreadable(self) -> DataError:
        frames = [
            group.frame.select(group.file.alias("file"), group.whole.alias("whole"))
            for group in self.parsed
            if group.whole is not None
        ]
        changed = DataError("a file changed while it was read", where=self.records.context.where, remedy="run it again")
        return unreadable_file(_together(frames)) or changed

    def _fail(self, quarantined: int, expected: str, remedy: str) -> None:
        context = self.records.context
        kept = Privacy(context.plan).kept(self.records.refused(), context.dataset)
        shown = kept.orderBy("source_file", "source_line").limit(_SHOWN).collect()
        told = "; ".join(f"{row['source_file']} line {row['source_line'] or '?'}: {row['message']}" for row in shown)
        raise DataError(
            f"{quarantined} bad records, the first: {told}",
            where=context.where,
            expected=expected,
            remedy=remedy,
        )


def _together(frames: Sequence[DataFrame]) -> DataFrame:
    return reduce(lambda one, two: one.unionByName(two), frames)


def _nothing_seen(context: Context) -> DataFrame:
    return context.spark.createDataFrame([], f"{FILE} string, {PROMISED} bigint")


def unreadable_file(records: DataFrame) -> DataError | None:
    """Why the first file that can't be read as a whole can't; None where all can. Reads them again.

    Args:
        records: `file`, and `whole`: why it can't, else null.
    """
    row = records.where("whole IS NOT NULL").select("file", "whole").orderBy("file").first()
    if row is None:
        return None
    remedy = "ask for the file again"
    return DataError(row["whole"], where=row["file"], expected="a file that can be read to its end", remedy=remedy)
