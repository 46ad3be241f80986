"""Write the pages into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from airflow_provider_etl.spec.reference import PAGES


def main(folder: Path) -> None:
    """Write every page.

    Args:
        folder: where; it is made if it isn't there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
