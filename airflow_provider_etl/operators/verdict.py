"""The verdict on a replay as a task of its own: it fails, so that the one that has loaded windows needn't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_provider_etl.compat import AirflowFailException, BaseOperator, Context

_SHOWN: Final = 10  # windows that the error names


class QuarantineVerdictOperator(BaseOperator):
    """Fail where windows of a replay have failed, after those who wait for the others have learnt of them.

    Airflow sends the events of a task that succeeds alone. So the replay, with `fails="all"`, succeeds where any window
    was loaded, and this task fails in its place: the run is red, and people are told as its DAG says.

    Args:
        replayed: what the replay returned: `replay.output`.
    """

    template_fields: Sequence[str] = ("replayed",)

    def __init__(self, *, replayed: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.replayed = replayed

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow passes it by this name
        """Look at each window.

        Raises:
            AirflowFailException: some have failed; a retry can't help, the next replay runs them again.
        """
        if not isinstance(self.replayed, Mapping) or "windows" not in self.replayed:
            raise AirflowFailException(
                f"this is no replay's output: {self.replayed!r:.80}; expected replayed=replay.output of a task that "
                "pushes its XCom"
            )
        windows: Sequence[Mapping[str, Any]] = self.replayed["windows"]
        failed = [item for item in windows if item["state"] == "failed"]
        if not failed:
            return
        for item in failed:
            self.log.error("%s: %s", item["window"]["key"], _why(item))
        keys = ", ".join(item["window"]["key"] for item in failed[:_SHOWN])
        more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        raise AirflowFailException(
            f"{len(failed)} of {len(windows)} windows failed: {keys}{more}; the first: {_why(failed[0])}. "
            "Their rows wait, and the next replay runs them again"
        )


def _why(item: Mapping[str, Any]) -> str:
    return str((item["error"] or {}).get("message", "it didn't say why"))
