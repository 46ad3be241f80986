"""Who owns which rows of a table: each load says it in a property of the table before its first rows go in.

Properties stay when the log is cleaned up, which commits' metadata doesn't. Two pipelines that claim a table at the
same moment both change its metadata, so Delta makes one of them look again; so no two unscoped ones get in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError
from spark_jobs.load.new_table import alter
from spark_jobs.load.scope import Scope, disjoint
from spark_jobs.load.strategies import text

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark_jobs.ledger import Ledger

_PREFIX: Final = "etl.load."


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What one load says of its rows.

    Args:
        pipeline: the pipeline's id.
        load: the load's name.
        scope: column -> value; empty where it owns the whole table.
        shared: whether its rows carry their pipeline, so that it can share a table without a scope (append).
        gone: whether somebody has written into the property that the pipeline will never load again.
    """

    pipeline: str
    load: str
    scope: Scope
    shared: bool = False
    gone: bool = False

    @property
    def key(self) -> str:
        """The name of the table's property."""
        return f"{_PREFIX}{self.pipeline}.{self.load}"

    @property
    def value(self) -> str:
        """Its value."""
        said = {"pipeline": self.pipeline, "load": self.load, "scope": dict(self.scope), "shared": self.shared}
        return json.dumps(said, sort_keys=True)


def claims_of(properties: Mapping[str, str]) -> list[Claim]:
    """The claims that a table's properties hold."""
    return [Claim(**json.loads(value)) for key, value in sorted(properties.items()) if key.startswith(_PREFIX)]


def refuse_others(mine: Claim, others: Iterable[Claim], loaders: set[str], where: str, *, exact: bool = True) -> None:
    """See that this load and those of other pipelines leave each other's rows alone.

    Args:
        mine: the load's claim.
        others: all claims on the table.
        loaders: ids of the pipelines that have loaded it; one without a claim loaded it before there were any.
        where: the table's path.
        exact: whether letter case and blanks at the end part scopes.

    Raises:
        ConfigError: they don't.
    """
    known = [claim for claim in others if claim.pipeline != mine.pipeline]
    before = loaders - {mine.pipeline} - {claim.pipeline for claim in known}
    known += [Claim(pipeline=name, load="", scope={}, shared=mine.shared) for name in before]
    clashing = [claim for claim in known if not _apart(mine, claim, exact=exact)]
    if not clashing:
        return
    names = sorted({claim.pipeline for claim in clashing})
    scopes = ", ".join(sorted({str(dict(claim.scope)) for claim in clashing if claim.scope}))
    raise ConfigError(
        f"the table is loaded by {', '.join(names)} too{f', scope {scopes}' if scopes else ''}",
        where=where,
        expected=f"a table of {mine.pipeline} alone, or loads whose scopes give one column different values"
        + ("" if exact else ", that differ in more than letter case and blanks at the end")
        + (f", found scope {dict(mine.scope)}" if mine.scope else ""),
        remedy="give each load a `scope: {column: value}`, or each pipeline a table of its own, or use append, where "
        f"rows carry their pipeline; a renamed pipeline says `id: {names[0]}`",
    )


def _apart(one: Claim, other: Claim, *, exact: bool) -> bool:
    if other.gone:
        return True
    unscoped = not one.scope and not other.scope
    return one.shared and other.shared if unscoped else disjoint(one.scope, other.scope, exact=exact)


def claim(spark: SparkSession, ledger: Ledger, mine: Claim) -> None:
    """Say in the table's properties what the load owns, where that isn't said yet; a commit of its own.

    Args:
        spark: a classic session.
        ledger: the table's.
        mine: the claim.
    """
    found = ledger.properties().get(mine.key)
    if found == mine.value:
        return
    if found is None and not mine.scope and mine.pipeline in ledger.pipelines():
        return  # loaded before there were claims: without one it owns the whole table
    alter(spark, ledger.path, f"SET TBLPROPERTIES ({text(mine.key)} = {text(mine.value)})")
