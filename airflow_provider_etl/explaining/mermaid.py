"""The graph as a Mermaid flowchart, for documents (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_etl.explaining.graph import readers
from airflow_provider_etl.spec import Pipeline


def chart(pipeline: Pipeline) -> Iterator[str]:
    """The chart, line by line."""
    names = [*pipeline.extract, *pipeline.transform]
    ids = {name: f"d{place}" for place, name in enumerate(names)}
    yield "flowchart LR"
    for name, kind in pipeline.extract.items():
        yield f'  {ids[name]}[("{_text(name)}<br/>{_text(kind.type)}")]'
    for name, dataset in pipeline.transform.items():
        steps = ", ".join(step for step, _ in dataset.steps) or "as it is"
        yield f'  {ids[name]}["{_text(name)}<br/>{_text(steps)}"]'
        yield f"  {ids[dataset.source]} --> {ids[name]}"
    for name in names:
        for reader in dict.fromkeys(reader for reader, _ in readers(pipeline, name)):
            yield f"  {ids[name]} -.-> {ids[reader]}"
    for name, checks in pipeline.check.items():
        yield f'  c{ids[name]}{{{{"{len(checks)} checks"}}}}'
        yield f"  {ids[name]} --> c{ids[name]}"
    for place, (name, (loaded, kind)) in enumerate(pipeline.load.items()):
        start = f"c{ids[loaded]}" if loaded in pipeline.check else ids[loaded]
        yield f'  l{place}[("{_text(name)}<br/>{_text(kind.type)}, {_text(kind.write.strategy)}")]'
        yield f"  {start} --> l{place}"


def _text(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
