"""A commented pipeline file, and a test file that it passes."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from airflow_provider_etl.spec import hints
from airflow_provider_etl.spec.class_docs import attribute_docs, summary
from airflow_provider_etl.spec.class_plan import ClassPlan, plan_of
from airflow_provider_etl.spec.language import PipelineFile
from airflow_provider_etl.spec.verbs import REGISTRIES, RESULT
from airflow_provider_etl.starter.templates import template
from airflow_provider_etl.starter.values import KEY, TIME, block, example, flow
from spark_jobs import kinds

_WIDTH: Final = 112
_VERBS: Final = ("extract", "transform", "check", "load")
_WAITS: Final = "wait_for"
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, kw_only=True)
class Starter:
    """What a new pipeline is made of.

    Args:
        name: the DAG's id, and the file's stem.
        source, destination: names of kinds.
        raw, lake: what sources and tables lie under, such as `${env.raw}`.
        day: the first day.
        schema, tests_schema: where the JSON Schemas are, relative to the file.
    """

    name: str
    source: str
    destination: str
    raw: str
    lake: str
    day: date
    schema: str
    tests_schema: str

    @property
    def dataset(self) -> str:
        """The source's name: the pipeline's, where that is a name for a dataset."""
        made = _NO_NAME.sub("_", self.name).strip("_") or "source"
        made = f"_{made}" if made[0].isdigit() else made
        return f"{made}_raw" if made.lower() in (RESULT, "input") else made[:100]

    def pipeline(self) -> str:
        """The pipeline file's text."""
        lines = [f"# yaml-language-server: $schema={self.schema}"]
        lines += [
            *self._settings(),
            "",
            *self._waits(),
            "",
            *self._extract(),
            "",
            *self._transform(),
            "",
            *self._check(),
        ]
        return "\n".join([*lines, "", *self._load(), ""])

    def tests(self) -> str:
        """The test file's text."""
        return _TESTS.format(
            schema=self.tests_schema, name=self.name, source=self.dataset, day=self.day, key=KEY, time=TIME
        )

    # -- the parts ------------------------------------------------------------------------------------------------

    def _settings(self) -> Iterator[str]:
        said = {
            "description": f"What {self.name} is for, in a line",
            "owner": "data-platform",
            "schedule": "@daily",
            "start": self.day,
        }
        plan = plan_of(PipelineFile)
        rest = {key: field for key, field in plan.fields.items() if key not in (*_VERBS, _WAITS)}
        plan = ClassPlan(fields=rest, shorthand=None, whole=False)
        yield from _options(PipelineFile, plan, said, "", "")

    def _waits(self) -> Iterator[str]:
        yield from _comment(attribute_docs(PipelineFile)[_WAITS] + " Kinds:", "")
        yield from _listed(_WAITS, "")
        yield f'# {_WAITS}: [{{file: {{path: "{self.raw}/{self.name}/_SUCCESS"}}}}]'

    def _extract(self) -> Iterator[str]:
        yield "# What arrives. Every source says which of its rows belong to a window. Kinds:"
        yield from _listed("extract", "")
        yield "extract:"
        yield f"  {self.dataset}:"
        yield from self._kind("extract", self.source, self.raw)

    def _transform(self) -> Iterator[str]:
        yield "# One step after the other; expressions are Spark SQL. Steps:"
        yield from _listed("transform", "")
        yield "transform:"
        yield f"  - from: {self.dataset}"
        yield f"  - dedupe: {{keys: [{KEY}], keep: last, order_by: [{TIME}]}}"
        yield '  - derive: {large: "amount > 100"}'

    def _check(self) -> Iterator[str]:
        yield "# What must be true before anything is published; on_fail: stop (default), quarantine or warn. Checks:"
        yield from _listed("check", "")
        yield "check:"
        yield f"  - not_null: {{columns: [{KEY}], on_fail: quarantine}}"
        yield f"  - unique: [{KEY}]"

    def _load(self) -> Iterator[str]:
        yield "# Where the rows go: one commit a window, which any repeat replaces. Kinds:"
        yield from _listed("load", "")
        yield "load:"
        yield "  lake:"
        yield from self._kind("load", self.destination, self.lake)

    def _kind(self, group: str, name: str, root: str) -> Iterator[str]:
        kind = kinds.find(REGISTRIES[group], name, group)
        said = dict(template(group, name, kind))
        for key, value in said.items():
            if isinstance(value, str) and "NAME" in value:
                is_path = plan_of(kind).fields[key].metadata.get("path", key == "path")
                said[key] = value.replace("NAME", self.name if is_path else self.dataset)
                said[key] = f"{root}/{said[key]}" if is_path else said[key]
        yield f"    type: {flow(name)}"
        yield from _options(kind, plan_of(kind), said, f"{root}/{self.name}", "    ")


def _listed(group: str, indent: str) -> Iterator[str]:
    """The kinds of a group, each with its first sentence."""
    for name in REGISTRIES[group]:
        yield from _comment(f"{name}: {summary(kinds.find(REGISTRIES[group], name, group))}", indent, "  ")


def _comment(text: str, indent: str, more: str = "") -> list[str]:
    width = _WIDTH - len(indent)
    return textwrap.wrap(
        text, width, initial_indent=f"{indent}#{more} ", subsequent_indent=f"{indent}#{more}   ", break_long_words=False
    )


def _options(kind: Any, plan: ClassPlan, said: Mapping[str, Any], path: str, indent: str) -> Iterator[str]:
    """Each option below its text; those that needn't be there as comments that show what they are by default."""
    texts = attribute_docs(kind)
    for key, field in plan.fields.items():
        yield from _comment(texts.get(field.name, ""), indent) if texts.get(field.name) else ()
        yield from _alternatives(field.hint, indent)
        if key in said or field.required:
            yield from _given(key, said[key] if key in said else example(field, path), indent)
        else:
            yield f"{indent}# {key}: {_default(kind, field.name, field.hint)}"


def _given(key: str, value: Any, indent: str) -> Iterator[str]:
    """An option; a mapping of mappings gets a line each."""
    if isinstance(value, Mapping) and value and all(isinstance(item, Mapping) for item in value.values()):
        yield f"{indent}{key}:"
        yield from (f"{indent}  {name}: {flow(item)}" for name, item in value.items())
    else:
        yield f"{indent}{key}: {value.isoformat() if isinstance(value, date) else block(value)}"


def _alternatives(hint: Any, indent: str) -> Iterator[str]:
    """What the members of a union of classes promise, where they do: the write strategies."""
    for member in hints.members(hint):
        if hints.is_class(member) and (promise := getattr(member, "promise", "")):
            tag = next(iter(hints.members(plan_of(member).fields["strategy"].hint))).__args__[0]
            yield from _comment(f"{tag}: {promise}", indent, "  ")


def _default(kind: type[Any], name: str, hint: Any) -> str:
    """The default as the file would say it; the type in words where there is none to show."""
    field = next(item for item in dataclasses.fields(kind) if item.name == name)
    value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    empty = value is None or (isinstance(value, (str, tuple, list, dict)) and not value)
    return f"<{hints.described(hint)}>" if empty else flow(value)


_TESTS: Final = """\
# yaml-language-server: $schema={schema}
# airflow-etl test {name}.yaml: sample rows in, the rows expected out, in a scratch folder with local Spark.
cases:
  - name: the last of two versions counts, and a row without a key is set aside
    window: {day}
    sources:
      {source}: # what the source finds: rows, or `text: |` for the file itself, or `file:` for a sample file
        - {{{key}: 1, {time}: {day}T08:00, amount: 10.5}}
        - {{{key}: 1, {time}: {day}T09:00, amount: 120}}
        - {{{key}: 2, {time}: {day}T10:00, amount: 7}}
        - {{{time}: {day}T11:00, amount: 1}}
    expect:
      datasets:
        result: # in any order; columns that a row leaves out aren't compared
          - {{{key}: 1, amount: 120, large: true}}
          - {{{key}: 2, amount: 7, large: false}}
      quarantine: # without this key no row may be set aside
        - {{dataset: result, stage: check, rule: not_null}}
      counts:
        result: {{read: 4, deduplicated: 1, quarantined: 1, rows: 2}}
"""
