"""Which Python modules a deployment allows pipelines to call."""

from __future__ import annotations

from collections.abc import Iterable


def allows(module: str, allowed: Iterable[str]) -> bool:
    """Whether python steps may come from a module: it is one of the allowed ones, or lies below one."""
    return any(module == name or module.startswith(name + ".") for name in allowed)
