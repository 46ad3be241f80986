"""What the tests of faults share."""

from tests.engines.conftest import standalone

__all__ = ["standalone"]
