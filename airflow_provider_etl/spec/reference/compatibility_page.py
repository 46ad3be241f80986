"""docs/compatibility.md: which versions fit each other, from compat.toml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from airflow_provider_etl.spec.compatibility import Fit, Part, known, lines

_HEAD: Final = """\
# Versions that fit each other

Made of `airflow_provider_etl/compat.toml` by `make docs`; a test holds it against the locks of the jars.

`airflow-etl jars FILE` says what a pipeline needs on the Spark of its engine, and how sure: `--format packages` gives
the coordinates for `spark.jars.packages`, `--format files` the names in the jars folder, `--spark 4.2` asks for another
line. What can't be is an error of `lint` ([no-such-jars](rules.md#no-such-jars)) and of `doctor
FILE`, with the nearest that can.

```yaml
# config/environments/prod.yaml
engines:
  local: {kind: local, jars: jars}                        # packages: folder, the default: no network is asked
  other: {kind: local, packages: resolve}                 # Spark fetches what the pipeline uses, once, into ~/.ivy2.5.2
```

An engine says its Spark as `spark: "4.1"`, the default. A folder of jars starts about 1.5 s sooner than `resolve` finds
what it has fetched already, and asks nobody. `resolve` starts without the class data sharing archive, which is of one
class path. On an engine of a service (`emr`, `databricks` and the like) it is refused: the service brings its jars, or
the engine's `conf` names them. `spark.jars.packages` of the engine's own `conf` come beside those that are fetched.

Evidence: **run** - this project's tests run with it; **documented** - its authors or another project say so, nobody has
run it here; **none** - nobody is known to have tried.

[Lines of Spark](#lines) · [parts](#parts)
"""


def compatibility_page() -> str:
    """The page."""
    return "\n".join([_HEAD, *_lines(), "", '## <a id="parts"></a>Parts', "", *_parts()]) + "\n"


def _lines() -> Iterator[str]:
    yield '## <a id="lines"></a>Lines of Spark'
    yield ""
    yield "| Spark | pyspark | Scala | Hadoop | Java | Python | evidence | |"
    yield "|---|---|---|---|---|---|---|---|"
    for line in lines().values():
        cells = (line.name, line.pyspark, line.scala, line.hadoop, line.java, line.python, line.evidence, line.why)
        yield f"| {' | '.join(cells)} |"


def _parts() -> Iterator[str]:
    yield "| part | asked for by | Spark | packages | evidence | |"
    yield "|---|---|---|---|---|---|"
    for part in known().values():
        for place, fit in enumerate(part.fits):
            first = (f"**{part.title}**", _signs(part)) if place == 0 else ("", "")
            cells = (*first, ", ".join(fit.spark), _packages(fit), fit.evidence, fit.why)
            yield f"| {' | '.join(cells)} |"


def _signs(part: Part) -> str:
    named = (
        ("every run", ("",) if part.always else ()),
        ("type", part.types),
        ("format", part.formats),
        ("path", tuple(f"{scheme}://" for scheme in part.schemes)),
        ("database", part.databases),
    )
    return "; ".join(
        f"{word} {', '.join(f'`{item}`' for item in items if item)}".strip() for word, items in named if items
    )


def _packages(fit: Fit) -> str:
    if fit.packages:
        return "<br>".join(f"`{item}`" for item in fit.packages)
    return "the cluster brings it" if fit.brought else "**none**"
