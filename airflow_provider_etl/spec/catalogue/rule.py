"""What a rule of `lint` is, and how its examples become whole files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from airflow_provider_etl.spec.diagnostics import Severity

BASE: Final = """\
description: Orders, one day a window
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
    format: csv
    new_columns: freeze
    columns:
      id: {type: int, required: true}
      customer: {type: string}
      amount: {type: "decimal(10,2)"}
      ordered_at: {type: timestamp}
transform:
  - from: orders
  - filter: amount > 0
check:
  - not_null: [id]
load:
  lake:
    type: delta
    path: ${env.lake}/orders
    write: {strategy: replace_window, column: ordered_at}
"""
_KEY: Final = re.compile(r"^([a-z_]+):", re.MULTILINE)
_BLOCK: Final = re.compile(r"^[a-z_]+:.*\n(?:[ \t#].*\n|\n)*", re.MULTILINE)

Example = str | Mapping[str, str]
"""What a pipeline file says otherwise than BASE; or file name -> the same, where a rule is about several files."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A code that `lint` may tell.

    Args:
        code: stable, other programs read it.
        severity: error or warning; only warnings can be ignored.
        why: what is found, and why it is wrong.
        wrong: an example that gives exactly this code.
        right: the same mended.
        mend: what to do.
        whole: whether the examples are whole files, and not what they say otherwise than BASE.
        command: whether the examples are commands, run in a folder with BASE as `orders.yaml`.
    """

    code: str
    severity: Severity = "error"
    why: str
    wrong: Example
    right: Example
    mend: str
    whole: bool = False
    command: bool = False

    def files(self, example: Example) -> dict[str, str]:
        """The files of an example: name -> text."""
        named = {"orders.yaml": example} if isinstance(example, str) else dict(example)
        return named if self.whole else {name: completed(text) for name, text in named.items()}


def completed(text: str) -> str:
    """A whole pipeline file: BASE with the keys of a text in place of its own."""
    given = set(_KEY.findall(text))
    kept = "".join(block[0] for block in _BLOCK.finditer(BASE) if _KEY.findall(block[0])[0] not in given)
    return kept + text
