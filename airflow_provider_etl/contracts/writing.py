"""A draft of a contract as a file: what the sample shows is said, what would be a promise stands in comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from airflow_provider_etl.contracts.personal import kind_in, kind_of
from airflow_provider_etl.contracts.seen import Seen, told
from airflow_provider_etl.starter.values import flow, key

_FEW = 12  # values that may be a closed list
_OFTEN = 3  # how often each comes at least, on average
_MOSTLY = 0.9  # of the texts, for a column to be personal


def written(seen: Mapping[str, Seen], files: str, rows: int) -> str:
    """The file's text.

    Args:
        seen: column -> what was seen of it.
        files: what was looked at, in words.
        rows: how many rows that were; 0 where only schemas were read.
    """
    looked = f"{rows} rows of {files}" if rows else f"the schema of {files}"
    lines = [
        f"# A draft, made of {looked}. What stands in comments is what the sample shows: uncomment what is promised",
        "# for ever, take the rest out, and see `airflow-etl contract check` before it changes.",
        'version: "0.1.0"',
        'owner: "" # who answers for the data',
        'description: "" # what one row is',
        "columns:",
    ]

    for name, item in seen.items():
        lines += [f"  {key(name)}:", *(f"    {line}" for line in _column(item))]
    return "\n".join([*lines, *_whole(seen, rows), ""])


def _column(item: Seen) -> Iterator[str]:
    yield f"type: {flow(item.type)}{_doubt(item)}"
    if item.required or (item.required is None and item.rows and not item.nulls):
        yield "required: true" + ("" if item.required else f" # no row of {item.rows} was without a value")
    elif item.rows and item.nulls:
        yield f"# not required: {item.nulls} of {item.rows} rows had no value"
    yield from _personal(item)
    if item.symbols and not _betrays(item.symbols):
        yield f"values: {flow(item.symbols)}"
    elif item.unique:
        yield f"# unique: true # no value came twice in {item.rows} rows"
    yield from _values(item)
    yield '# description: ""'


def _doubt(item: Seen) -> str:
    if item.mixed:
        return f" # values of several types: {', '.join(sorted(item.kinds))}"
    if item.zeros:
        return " # numbers with leading zeros: text, so that those stay"
    if item.fixed is None and not item.given:
        return " # no row had a value: nobody knows"
    if item.fixed is None and item.type == "double":
        return ' # exact amounts want "decimal(12,2)"'
    return ""


def _personal(item: Seen) -> Iterator[str]:
    for kind, count in item.personal.items():
        if count >= _MOSTLY * item.looked:
            yield f"pii: {kind} # in {count} of {item.looked} values"
            return
    found = {kind: item.personal.get(kind, 0) + item.inside.get(kind, 0) for kind in {**item.personal, **item.inside}}
    if found:
        told = ", ".join(f"{kind} in {count}" for kind, count in found.items())
        kind = next(iter(found)) if len(found) == 1 else "true"
        yield f"# pii: {kind} # {told} of {item.looked} values: is it personal?"


def _values(item: Seen) -> Iterator[str]:
    if item.personal or item.inside:
        return  # a draft is shown around
    texts = [value for value in item.values if isinstance(value, str)]
    few = item.type == "string" and 1 < len(texts) <= _FEW and item.given >= _OFTEN * len(texts)
    if few and not item.symbols and not _betrays(texts):
        yield f"# values: {flow(sorted(texts))} # all that came"
    bounds = item.bounds()
    if bounds is not None and not _betrays(bounds):
        yield f"# min: {_bound(bounds[0])} # the smallest that came"
        yield f"# max: {_bound(bounds[1])} # the largest that came"


def _betrays(values: Iterable[object]) -> bool:
    """Whether something that is about to be written is personal: looked at once more, as it will stand there."""
    texts = [text for value in values if (text := told(value)) is not None]
    return any(kind_of(text) or kind_in(text) for text in texts)


def _bound(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _whole(seen: Mapping[str, Seen], rows: int) -> Iterator[str]:
    """What the contract says beside its columns."""
    unique = [name for name, item in seen.items() if item.unique]
    dated = [name for name, item in seen.items() if item.type in ("date", "timestamp")]
    if unique:
        more = f"; so are {', '.join(unique[1:])}" if unique[1:] else ""
        yield f"# keys: [{key(unique[0])}] # it was unique in {rows} rows{more}"
    if dated:
        yield f"# freshness: {{column: {key(dated[0])}, within: 1d}} # how old may the newest row be?"
    yield "# completeness: 99 % # of the required values; {columns: [..], share: 99 %} asks for others"
    yield "# modes: {columns: evolve, types: quarantine} # what becomes of what isn't named here"
