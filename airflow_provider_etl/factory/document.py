"""What the UI shows as a DAG's documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

# Characters of YAML that a DAG may carry in the metadata database: a tenth of what a DAG of the factory takes there.
# Every version of the DAG is stored with its documentation, and the scheduler reads it with the DAG.
_MOST: Final = 400


def document(pipeline: Pipeline, *, source: str, text: str) -> str:
    """The doc (by default the description), and the pipeline file: itself where it is short, else where it is.

    Args:
        pipeline: whose documentation it is.
        source: the file's path, relative to the loader.
        text: the file's text; empty where the Code tab shows it.
    """
    described = pipeline.doc.strip()
    if not text:
        return described
    fence = "```" if "```" not in text else "~~~~"
    shown = f"{fence}yaml\n{text.strip()}\n{fence}" if len(text) <= _MOST else f"Pipeline file: `{source}`"
    return "\n\n".join(part for part in (described, shown) if part)
