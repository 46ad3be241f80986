"""What a pipeline costs beside the same by hand: `python -m benchmarks pipeline`, and its options."""

from __future__ import annotations

import sys

from benchmarks.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["pipeline", *sys.argv[1:]]))
