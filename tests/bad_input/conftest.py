"""What the tests of bad inputs share."""

from tests.spark_jobs.extract.conftest import drops
from tests.spec.conftest import project

__all__ = ["drops", "project"]
