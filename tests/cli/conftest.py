"""The project of tests/spec, for the command line."""

from tests.spec.conftest import changed, project

__all__ = ["changed", "project"]
