"""Which texts look personal, by the shapes and check digits that step `mask` goes by."""

from __future__ import annotations

import functools
import re

from airflow_provider_etl.contracts.digits import valid
from spark_jobs.masking.detect import DETECTORS, Detector, Kind


def kind_of(text: str) -> Kind | None:
    """What a whole text is; None where it is nothing of that kind."""
    stripped = text.strip()
    for detector in DETECTORS:
        if pattern(detector).fullmatch(stripped) and valid(detector.valid, stripped):
            return detector.kind
    return None


def kind_in(text: str) -> Kind | None:
    """The first that stands somewhere in a text; None where there is none."""
    for detector in DETECTORS:
        if any(valid(detector.valid, match[0]) for match in pattern(detector).finditer(text)):
            return detector.kind
    return None


@functools.cache
def pattern(detector: Detector) -> re.Pattern[str]:
    """A detector's shape, a Java expression, as Python's: its classes of letters and its named groups differ."""
    # First the digits: Java's are ours, Python takes those of every script.
    shape = detector.shape.replace(r"\d", "[0-9]").replace(r"\p{L}\p{N}_", r"\w").replace(r"\p{L}\p{N}", r"\w")
    shape = re.sub(r"\(\?<([a-z]\w*)>", r"(?P<\1>", shape.replace(r"\p{L}", r"[^\W\d_]"))
    return re.compile(re.sub(r"\\k<(\w+)>", r"(?P=\1)", shape))
