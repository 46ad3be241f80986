"""A person's answer to failed checks, before anything is published; needs Airflow 3.1."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator

from airflow_provider_etl.compat import AirflowFailException, Context
from airflow_provider_etl.operators.submitting import digest

ANSWER_WITHIN: Final = timedelta(days=6)
"""Staged rows that nobody touches stay for a week (spark_jobs/sweeping.py): an answer must come before they go."""
_ASKED: Final = "asked"  # the XCom that tells what the question was about
_SHOWN: Final = 50  # failed checks in the question


class ApproveOperator(ApprovalOperator):
    """Where a check with `on_fail: ask` failed, wait until somebody approves or rejects it in Airflow's UI.

    Where none failed it ends at once. Approved, the load goes on with what was staged; rejected, the task fails, so
    nothing is loaded.

    Args:
        staged: what the check returned: `check.output`; the load takes this task's output then.
        answer_within: how long it waits, six days at most: then it fails.
    """

    template_fields: Sequence[str] = ("staged", "subject", "body")

    def __init__(self, *, staged: Any, answer_within: timedelta = ANSWER_WITHIN, **kwargs: Any) -> None:
        # A task's time is for work; this one only waits.
        kwargs |= {"execution_timeout": None, "response_timeout": min(answer_within, ANSWER_WITHIN)}
        super().__init__(**({"subject": "Publish although checks failed?"} | kwargs))
        self.staged = staged
        self.answer_within = answer_within

    def execute(self, context: Context) -> Any:
        """Ask, where there is something to ask.

        Returns:
            What was staged, where no failed check asks.
        """
        asked = [report for report in _listed(self.staged) if report.get("approval")]
        if not asked:
            return self.staged
        windows = ", ".join(f"{report['window']['start']}/{report['window']['end']}" for report in asked)
        self.subject = f"{asked[0]['pipeline']} {windows:.300}: publish although checks failed?"
        self.body = "\n".join(line for report in asked for line in _lines(report))
        self.log.info("%s\n%s", self.subject, self.body)
        context["ti"].xcom_push(_ASKED, self._fingerprint())
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """The answer has come, or nobody has answered in time.

        Returns:
            The reports, with who approved and when.

        Raises:
            AirflowFailException: it was rejected, nobody answered, or other rows are staged now than those that it was
                about; a retry would only ask again.
        """
        if "error" in event:
            late = event.get("error_type") == "timeout"
            why = f"nobody has answered within {self.response_timeout}" if late else str(event["error"])
            raise AirflowFailException(f"{why}: nothing was published")
        ti = context["ti"]
        # Without an index Airflow pulls what all mapped instances have asked, as a list; unmapped, it is -1.
        if ti.xcom_pull(key=_ASKED, map_indexes=ti.map_index) != self._fingerprint():
            # `staged` is what the check returns now: cleared meanwhile, it has judged rows that nobody was asked about.
            raise AirflowFailException("what was asked about was staged anew; clear approve, it asks again")
        # Not ApprovalOperator's own, which skips what follows where it is rejected: the window would seem loaded.
        answer = HITLOperator.execute_complete(self, context, event)
        by, at = answer.get("responded_by_user"), answer["responded_at"].isoformat()
        who = (by or {}).get("name") or (by or {}).get("id") or "somebody whom Airflow doesn't name"
        asked = [name for report in _listed(self.staged) for name in (report.get("approval") or {}).get("checks", ())]
        if answer["chosen_options"] != [self.APPROVE]:
            raise AirflowFailException(f"{who} rejected it at {at}: {', '.join(asked)} failed; nothing was published")
        self.log.info("[etl] approved by %s at %s: %s", who, at, ", ".join(asked))
        told = [_approved(report, by, at) for report in _listed(self.staged)]
        return told[0] if isinstance(self.staged, Mapping) else told

    def _fingerprint(self) -> str:
        """Of what is staged, all of it."""
        return digest(json.dumps(_listed(self.staged), sort_keys=True))


def _listed(staged: Any) -> list[Mapping[str, Any]]:
    return [staged] if isinstance(staged, Mapping) else list(staged or [])


def _approved(report: Mapping[str, Any], by: Mapping[str, Any] | None, at: str) -> dict[str, Any]:
    if not report.get("approval"):
        return dict(report)
    who = {"id": by["id"], "name": by["name"]} if by else None
    return {**report, "approval": {**report["approval"], "state": "approved", "by": who, "at": at}}


def _lines(report: Mapping[str, Any]) -> list[str]:
    """The failed checks of a window, as a Markdown list; messages have no values of rows."""
    failed = [check for check in report["checks"] if not check["success"]]
    lines = [f"**{report['window']['key']}**, {_rows(report)} rows are staged:", ""]
    for check in failed[:_SHOWN]:
        asks = "" if check["on_fail"] == "ask" else f" ({check['on_fail']})"
        lines.append(f"- `{check['name']}` of `{check['column'] or check['dataset']}`: {check['message']}{asks}")
    return [*lines, *([f"- and {len(failed) - _SHOWN} more"] if len(failed) > _SHOWN else []), ""]


def _rows(report: Mapping[str, Any]) -> int:
    checked = {check["dataset"] for check in report["checks"]}
    return sum(int(counts["rows"]) for name, counts in report["datasets"].items() if name in checked)
