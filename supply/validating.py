"""`python -m supply.validating FILE`: whether a bill is CycloneDX; runs where `cyclonedx-bom` is, and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(path: Path) -> int:
    """Validate against the specification that the bill names."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = path.read_text(encoding="utf-8")
    problem = JsonStrictValidator(SchemaVersion.from_version(json.loads(text)["specVersion"])).validate_str(text)
    if problem is not None:
        print(f"{path}: {problem}", file=sys.stderr)
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
