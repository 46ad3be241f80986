"""What both sides of an order agree on."""

from typing import Final

REHEARSAL_VERSION: Final = 1
SCRATCH: Final = "/@scratch-of-the-test@"
"""Stands in an order, and in its results, for the scratch folder, which is made where Spark runs and goes with it."""
