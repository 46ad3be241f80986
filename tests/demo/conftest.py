"""A project in a temporary folder."""

from tests.spec.conftest import changed, project

__all__ = ["changed", "project"]
