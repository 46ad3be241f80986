"""Jars by Maven coordinates, which Spark fetches itself, instead of a folder that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# Spark's resolver follows dependencies; these jars need none of theirs, or Spark has them. What is named stays.
EXCLUDED: Final = (
    "com.*:*,net.*:*,io.unitycatalog:*,io.delta:delta-kernel*,org.apache.hadoop:*,org.antlr:*,org.checkerframework:*,"
    "org.fusesource*:*,org.openlabtesting*:*,org.scala-lang*:*,org.slf4j:*,org.spark-project*:*,org.tukaani:*"
)
_BUNDLE: Final = "software.amazon.awssdk:bundle"  # 612 MB, for which the parts that are named stand


def settings(packages: Sequence[str], jars: Sequence[str] = ()) -> dict[str, str]:
    """Spark's settings.

    Args:
        packages: `group:artifact:version` each.
        jars: files of this machine that must be loaded beside them, since they extend classes of theirs.
    """
    own = {"spark.jars": ",".join(jars)} if jars else {}
    return {"spark.jars.packages": ",".join(packages), "spark.jars.excludes": f"{EXCLUDED},{_BUNDLE}"} | own


def joined(ours: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """An engine's own lists of jars, ours before them: one that replaced ours would leave Spark without Delta."""
    lists = ("spark.jars.packages", "spark.jars.excludes", "spark.jars")
    return {key: ",".join(filter(None, [ours.get(key, ""), own[key]])) for key in lists if key in own}
