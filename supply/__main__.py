"""`python -m supply bill FOLDER` completes a bill of materials, `python -m supply licences FOLDER` judges its parts.

FOLDER/sbom.cdx.json is what `cyclonedx-py environment` has written of the installed packages. `bill` adds the jars of
the locks, and the packages of the locks that aren't installed here. `licences` lists all parts in FOLDER/licences.md;
exit 1 where one can't be used.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from supply.judging import Verdict, judged
from supply.parts import Known, absent, jars


def complete(bill: Path, known: Known) -> int:
    """Add to a bill what it lacks, and write it anew; a second time adds nothing.

    Args:
        bill: CycloneDX as JSON.
        known: licences.

    Returns:
        How many parts it has.
    """
    told = json.loads(bill.read_text(encoding="utf-8"))
    there = {item["bom-ref"] for item in told["components"]}
    more = [*absent(told["components"], known), *jars(known)]
    told["components"] += [item for item in more if item["bom-ref"] not in there]
    bill.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return len(told["components"])


def listed(verdicts: list[Verdict]) -> str:
    """The licences as a table, in Markdown."""
    rows = [f"| {item.name} | {item.version} | {item.licence or '?'} |\n" for item in verdicts]
    return "".join(["# Licences\n\n| part | version | licence |\n|---|---|---|\n", *rows])


def main(what: str, folder: Path) -> int:
    """Complete, or judge and list."""
    known, bill = Known.read(), folder / "sbom.cdx.json"
    if what == "bill":
        print(f"{complete(bill, known)} parts: {bill}")
        return 0
    verdicts = judged(json.loads(bill.read_text(encoding="utf-8"))["components"], known)
    (folder / "licences.md").write_text(listed(verdicts), encoding="utf-8")
    bad = [item for item in verdicts if item.problem]
    for item in bad:
        print(f"{item.name} {item.version}: {item.problem}", file=sys.stderr)
    print(f"{len(verdicts)} parts, {len(bad)} that can't be used: {folder / 'licences.md'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
