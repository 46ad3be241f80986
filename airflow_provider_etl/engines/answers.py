"""What services answer, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_jobs.errors import InfrastructureError


def part(answer: Any, *keys: str) -> Any:
    """A part of an answer, however deep.

    Raises:
        InfrastructureError: it isn't there: the answer was cut on the way, and a client took the rest for the whole.
    """
    found = answer
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            raise InfrastructureError(f"the service's answer was cut: no {'.'.join(keys)}", remedy="it is asked again")
        found = found[key]
    return found
