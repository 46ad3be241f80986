"""What benchmarks have told, each kept as soon as it has: the page holds all of them, whenever each was taken.

All of them take hours, so few will run them at one go; and what one has told isn't lost with the next that fails.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.catalogue import names
from benchmarks.harness import page

FOLDER: Final = "sections"


def keep(out: Path, name: str, facts: Mapping[str, Any], html: str) -> None:
    """Keep what a benchmark has told in the place of what it told before, and write the page anew.

    Args:
        out: the folder of the page.
        name: the benchmark's.
        facts: `taken`, `machine`, `versions`, `rounds`, `tiny`.
        html: its section.
    """
    folder = out / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"facts": facts, "html": html}), encoding="utf-8")
    (out / "index.html").write_text(page.page(kept(folder)), encoding="utf-8")


def kept(folder: Path) -> list[page.Section]:
    """All sections of a folder, in the catalogue's order; those of benchmarks that are no more are left out."""
    files = (folder / f"{name}.json" for name in names())
    return [page.Section(**json.loads(file.read_text(encoding="utf-8"))) for file in files if file.exists()]
