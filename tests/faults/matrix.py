"""The faults F01 to F25, F38, F39 and F42 to F44: what breaks, what the task says, what the tables hold; and the tests.

`docs/faults.md` is made of it: `python -m tests.faults.matrix`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/faults.md"

Class = Literal["config", "data", "resource", "infrastructure"]
RETRIED: Final[dict[str, bool]] = {"config": False, "data": False, "resource": True, "infrastructure": True}
"""Whether a task that fails with an error of a class is tried again: `operators/base.py`, held by WINDOWS."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Args:
        breaks: what is broken, and when.
        says: what the task reports, in a sentence.
        error: the class of its error; empty where the task doesn't fail by this, or is itself what was killed.
        holds: what the tables hold.
        elsewhere: tests outside of this folder that prove it, as `file::test`.
        unproven: what no test shows; empty where the tests show all that is said.
    """

    breaks: str
    says: str
    error: Class | Literal[""] = ""
    holds: str
    elsewhere: tuple[str, ...] = ()
    unproven: str = ""


CONFORMANCE: Final = "tests/conformance/"
LOADS: Final = "tests/spark_jobs/load/"
DATABASES: Final = f"{LOADS}databases/test_faults.py::"
RUN: Final = "tests/spark_jobs/test_run.py::"
LOCAL: Final = "tests/engines/test_local.py::"
CLUSTER: Final = "tests/engines/test_cluster.py::"
SERVERLESS: Final = "tests/engines/test_emr_serverless.py::"
DEFERRING: Final = "tests/airflow/test_deferring.py::"
FILES: Final = "tests/airflow/test_bad_input.py::"
SUBMIT: Final = "tests/engines/test_spark_submit.py::"
RACING: Final = "tests/spark_jobs/object_store/test_racing.py::"
WINDOWS: Final = "tests/airflow/test_windows.py::"
BEFORE: Final = "as before; the next try loads the window once"

CHAPTERS: Final = {
    "A process dies": ("F01", "F09"),
    "Airflow's parts": ("F10", "F14"),
    "Spark's parts": ("F15", "F18"),
    "Windows that meet": ("F19", "F20"),
    "Disks and object stores": ("F21", "F25"),
    "Clocks and answers": ("F38", "F39"),
    "Around the data": ("F42", "F44"),
}

FAULTS: Final[dict[str, Fault]] = {
    "F01": Fault(
        breaks="the driver is killed between the rows' write and the commit",
        says="Spark was killed (exit code -9), and which setting to raise if it was for memory",
        error="resource",
        holds=BEFORE,
        elsewhere=(
            f"{RUN}test_a_run_that_dies_anywhere_shows_all_of_a_window_or_nothing_and_the_next_try_completes_it",
        ),
    ),
    "F02": Fault(
        breaks="the driver is killed in the middle of many files",
        says="as F01",
        error="resource",
        holds="no file counts that no commit names, and one commit names them all",
        elsewhere=(
            f"{LOADS}test_files.py::test_an_error_after_the_commit_takes_nothing_away",
            f"{CONFORMANCE}test_files.py::test_any_schedule_ends_as_a_plain_run_in_order",
        ),
    ),
    "F03": Fault(
        breaks="the driver is killed after the commit, before anybody is told",
        says="as F01; the next try finds the commit by its token: `already_done`",
        error="resource",
        holds="the window, once",
        elsewhere=(
            f"{RUN}test_a_lost_result_is_found_again_without_work",
            f"{WINDOWS}test_a_commit_found_again_is_told_since_the_try_that_made_it_could_not",
        ),
    ),
    "F04": Fault(
        breaks="the answer to a commit never comes",
        says="nothing: the log is read again, its own commit is success",
        holds="the window, once",
        elsewhere=(
            f"{LOADS}test_delta.py::test_a_retry_with_a_newer_number_finds_its_own_commit",
            f"{DATABASES}test_a_connection_that_breaks_before_or_amid_the_commit_is_no_loss",
        ),
    ),
    "F05": Fault(
        breaks="the worker is killed while Spark runs beside it",
        says="Airflow ends the try; Spark ends with its worker, within seconds",
        holds=BEFORE,
        elsewhere=(
            f"{LOCAL}test_kill_9_of_the_owner_leaves_no_process",
            f"{LOCAL}test_kill_9_of_the_owner_s_parent_leaves_no_process",
            "tests/engines/test_run.py::test_kill_9_of_the_owner_takes_spark_with_it",
            "tests/engines/test_local_warm.py::test_kill_9_of_the_owner_takes_spark_with_it",
            f"{SUBMIT}test_a_killed_task_takes_its_driver_along_and_the_cluster_its_executors_back",
        ),
    ),
    "F06": Fault(
        breaks="the worker is killed while a service runs the job",
        says="the next try goes on with the job that runs, or fetches its report",
        holds="the window, once: no second job",
        elsewhere=(
            f"{DEFERRING}test_a_retry_goes_on_and_a_cleared_task_runs_anew",
            f"{SERVERLESS}test_a_retry_goes_on_with_the_job_whether_or_not_its_handle_was_kept",
            f"{CLUSTER}test_a_job_that_ended_well_with_nobody_there_is_not_run_again",
        ),
    ),
    "F07": Fault(
        breaks="the worker is killed between the submission and the keeping of its handle",
        says="the next try finds the job by its name",
        holds="the window, once: no second job",
        elsewhere=(
            f"{SERVERLESS}test_whatever_happens_to_the_answer_there_is_one_job",
            "tests/engines/test_emr.py::test_whatever_happens_to_the_answer_there_is_one_step",
            f"{CLUSTER}test_a_driver_that_began_although_the_answer_was_lost_is_the_job",
        ),
    ),
    "F08": Fault(
        breaks="one task runs twice at the same time",
        says="one loads; the other is `superseded`, or finds the same attempt `already_done`",
        holds="what one of them has made, whole",
        elsewhere=(
            f"{LOADS}test_delta.py::test_two_attempts_at_one_window_leave_one_of_them",
            f"{LOADS}databases/test_replacing.py::test_windows_and_attempts_at_once_leave_each_window_once",
        ),
    ),
    "F09": Fault(
        breaks="an attempt that hung wakes after its window was loaded by a later one",
        says="`superseded`: it changes nothing and isn't tried again",
        holds="what the later attempt has loaded",
        elsewhere=(
            f"{DATABASES}test_a_zombie_that_wakes_between_staging_and_commit_changes_nothing",
            f"{LOADS}test_iceberg.py::test_a_zombie_that_wakes_at_the_last_moment_changes_nothing",
            f"{LOADS}test_files.py::test_a_zombie_is_superseded_and_an_own_commit_found_again",
        ),
    ),
    "F10": Fault(
        breaks="the scheduler is killed while windows run, and started again",
        says="tasks that Airflow has given up are tried again",
        holds="each window, once",
        unproven="two schedulers at once",
    ),
    "F11": Fault(
        breaks="the triggerer is killed while tasks are deferred",
        says="another one goes on waiting; nothing is submitted again",
        holds="each window, once",
        elsewhere=(
            "tests/airflow/test_sensor_e2e.py::test_deferred_waits_outlive_their_triggerer",
            "tests/airflow/test_sensor_trigger.py::test_the_end_of_the_time_stays_when_another_triggerer_takes_over",
            f"{DEFERRING}test_a_service_that_stays_away_loses_no_job",
        ),
        unproven="a killed triggerer with a service's job: the trigger is started anew by its arguments, in process",
    ),
    "F12": Fault(
        breaks="the metadata database is gone for a minute while windows run",
        says="a task that can't report is tried again",
        holds="each window, once",
    ),
    "F13": Fault(
        breaks="a task is stopped, cancelled or gets SIGTERM",
        says="Spark was cancelled; the job is ended, a second signal forces it",
        error="infrastructure",
        holds=BEFORE,
        elsewhere=(
            f"{LOCAL}test_cancel_ends_the_whole_group_even_where_it_does_not_want_to",
            f"{DEFERRING}test_a_job_is_cancelled_from_the_worker",
            f"{DEFERRING}test_a_job_is_cancelled_from_the_trigger",
            "tests/engines/test_run.py::test_ctrl_c_takes_spark_with_it_and_is_told",
            f"{WINDOWS}test_a_kill_before_the_job_exists_is_not_lost",
        ),
    ),
    "F14": Fault(
        breaks="`timeout` comes while a database keeps Spark waiting",
        says="Airflow's timeout; Spark ends at once. PostgreSQL ends the statement of who is gone within ten seconds; "
        "every database after `statement_timeout`",
        holds=BEFORE,
        elsewhere=(
            f"{LOCAL}test_an_exception_in_the_owner_ends_the_process",
            f"{DEFERRING}test_a_task_that_is_late_ends_its_job",
            "tests/spark_jobs/extract/test_jdbc.py::test_a_statement_that_takes_too_long_is_ended_by_the_database",
            f"{LOADS}databases/test_plain.py::test_a_statement_that_waits_is_ended_where_the_driver_can",
        ),
        unproven="HTTP calls: no source makes one yet",
    ),
    "F15": Fault(
        breaks="an executor is killed, and what it had shuffled goes with it",
        says="nothing: Spark computes it again; counts are of what was committed",
        holds="the window, once",
    ),
    "F16": Fault(
        breaks="the driver's heap is full, or the kernel kills it for want of memory",
        says="out of memory, with the setting to raise",
        error="resource",
        holds=BEFORE,
        elsewhere=(
            f"{LOCAL}test_a_killed_process_is_a_matter_of_memory_and_names_the_setting",
            "tests/spark_jobs/test_metering.py::test_one_that_ran_out_of_memory_is_kept_as_such",
        ),
    ),
    "F17": Fault(
        breaks="a task of Spark's writes twice: speculation, or a success that nobody heard of",
        says="nothing",
        holds="the rows of the attempt that counts, once",
        elsewhere=(
            f"{DATABASES}test_rows_of_attempts_that_spark_gave_up_are_not_published",
            f"{LOADS}databases/test_plain.py::test_rows_of_a_task_whose_success_nobody_heard_of_count_once",
        ),
    ),
    "F18": Fault(
        breaks="two writers commit to the same files or partition",
        says="nothing: who loses looks again and commits what it has staged",
        holds="both windows; of one window, what one of them has made",
        elsewhere=(
            f"{LOADS}test_delta.py::test_windows_that_commit_at_once_all_arrive",
            f"{LOADS}test_scope.py::test_pipelines_whose_parts_share_files_wait_for_each_other_and_both_arrive",
            f"{LOADS}test_iceberg.py::test_windows_that_commit_at_once_all_arrive",
            f"{RACING}test_no_commit_of_two_drivers_is_lost_and_a_wrong_secret_is_told",
        ),
    ),
    "F19": Fault(
        breaks="backfills of windows that overlap run at once",
        says="who has read first and comes last: that rows which were read later are there; its retry reads again",
        holds="each row as its source said when it was last read",
        elsewhere=(
            f"{LOADS}test_delta.py::test_append_refuses_a_partial_overlap",
            f"{LOADS}test_reaching.py::test_what_another_run_has_read_later_is_not_overwritten",
            f"{LOADS}test_reaching.py::test_a_commit_between_the_look_and_the_write_is_seen",
            f"{LOADS}test_files.py::test_windows_of_other_lengths_cut_and_cover_what_was_loaded",
            f"{LOADS}test_overlapping.py::test_whatever_overlaps_each_day_is_as_it_was_last_read",
            f"{LOADS}test_overlapping.py::test_a_table_goes_back_neither_by_the_span_nor_by_the_window_in_it",
        ),
    ),
    "F20": Fault(
        breaks="a backfill runs while the live run of the window goes on",
        says="who was submitted first and ends last is `superseded`",
        holds="what was submitted last; a newer snapshot is never replaced by an older one",
        elsewhere=(
            f"{LOADS}test_delta.py::test_an_older_attempt_is_superseded_and_changes_nothing",
            f"{LOADS}test_delta.py::test_the_newest_snapshot_wins_in_any_order",
            f"{LOADS}test_delta.py::test_rows_read_before_another_run_published_newer_ones_are_superseded",
            "tests/sensors/test_pipeline.py::test_a_snapshot_is_enough_when_it_is_of_the_windows_end_or_later",
        ),
    ),
    "F21": Fault(
        breaks="the disk is full: of the tables, of Spark's own files, of the report",
        says="No space left on device, and where to make room",
        error="resource",
        holds="as before; once there is room, the next try loads the window once",
    ),
    "F22": Fault(
        breaks="a file that keeps state can't be written, or only in part",
        says="a warning; what is kept of windows (figures, results of checks) decides no load",
        holds="the window; the file is as before, never torn",
        elsewhere=(
            "tests/spark_jobs/test_results.py::test_results_that_cannot_be_kept_are_told_and_change_nothing",
            f"{LOCAL}test_a_report_cut_short_is_not_taken_for_one",
            "tests/engines/test_parcel.py::test_a_torn_file_of_a_disk_that_was_full_is_written_again",
        ),
        unproven="a machine that loses its power: nothing is synced to the disk beyond what Delta and Java do",
    ),
    "F23": Fault(
        breaks="S3 answers 503 for a while, or loses its answer to a write that took effect",
        says="nothing: the request is repeated, and a put on condition makes that harmless",
        holds="the window, once",
        elsewhere=(
            f"{RACING}test_no_commit_of_two_drivers_is_lost_and_a_wrong_secret_is_told",
            "tests/engines/test_s3.py::test_a_service_that_does_not_answer_is_told_in_one_line",
        ),
    ),
    "F24": Fault(
        breaks="a list of objects names some of them twice",
        says="nothing, where it is of drops; where it is of a Delta log, that its versions are not contiguous",
        error="infrastructure",
        holds="each row once",
        unproven="lists that lag: no store that we write to has them any more",
    ),
    "F25": Fault(
        breaks="the driver is killed in the middle of an upload in parts",
        says="as F01",
        error="resource",
        holds=BEFORE,
        unproven="parts of uploads that were given up stay until a rule of the bucket removes them",
    ),
    "F38": Fault(
        breaks="clocks of workers differ or jump back; a day has 23 or 25 hours",
        says="nothing: an attempt's number is above every one of its window in the ledger, whatever the clock says",
        holds="what was submitted last; of windows that overlap, who has read last is told by clocks that agree",
        elsewhere=(
            "tests/spark_jobs/test_ledger.py::test_the_next_attempt_is_always_larger_whatever_the_clock_says",
            f"{WINDOWS}test_a_number_exceeds_what_the_ledger_holds_even_from_the_future",
            "tests/sensors/test_file.py::test_a_store_whose_clock_is_ahead_is_watched_by_ours",
            "tests/sensors/test_file.py::test_a_store_whose_clock_is_behind_doesnt_make_a_young_file_old",
            "tests/airflow/test_factory.py::test_days_have_23_and_25_hours_where_the_clock_is_changed",
        ),
    ),
    "F39": Fault(
        breaks="the network to a database is cut after COMMIT was sent",
        says="nothing: the ledger in the database is asked",
        holds="the window, once",
        elsewhere=(
            f"{DATABASES}test_a_connection_that_breaks_before_or_amid_the_commit_is_no_loss",
            f"{LOADS}databases/test_plain.py::test_a_connection_that_breaks_around_the_commit_is_no_loss",
        ),
    ),
    "F42": Fault(
        breaks="those who are to hear of a run, by lineage or message, are down or slow",
        says="an error in the log and the metric `notify.failed`; the task's state stays what it is",
        holds="the window",
        elsewhere=("tests/notify/test_kinds.py::test_a_webhook_that_fails_says_why_without_its_address",),
    ),
    "F43": Fault(
        breaks="one pipeline file of two hundred is broken, half written, or renamed",
        says="an import error that names file and line",
        error="config",
        holds="every other DAG stays; a renamed file that keeps its `id` keeps its ledger",
        elsewhere=(
            f"{FILES}test_one_bad_file_among_two_hundred_leaves_199_dags_and_one_import_error",
            f"{FILES}test_a_file_half_written_is_told_and_is_a_dag_once_it_is_whole",
            f"{FILES}test_a_renamed_file_is_another_dag_and_leaves_nothing_behind",
            "tests/engines/test_tables.py::test_a_renamed_file_with_the_old_id_keeps_its_table_and_its_ledger",
        ),
    ),
    "F44": Fault(
        breaks="another release, or another file, comes while windows run",
        says="a plan of another release is refused; a file that changed between two tasks asks for the first one again",
        error="config",
        holds="what was loaded is known; a window's number stays with its table",
        elsewhere=(
            f"{RUN}test_an_unknown_plan_version_is_refused",
            "tests/engines/test_local_warm.py::test_a_plan_of_another_release_is_a_matter_of_configuration",
            f"{WINDOWS}test_a_file_changed_between_two_verbs_is_refused",
            f"{DEFERRING}test_a_changed_file_ends_the_job_of_the_old_one",
            f"{LOADS}test_reaching.py::test_a_window_loaded_before_lookback_was_set_counts_by_its_number",
        ),
    ),
}

OPEN: Final = (
    "- Backfills whose parts are killed at random moments: the test is written (`tests/faults/test_random.py`), no round of it was run yet.",
)
TOP: Final = """\
# Faults

What breaks and when, what the task says, what the tables hold. Each line is shown by tests with the real parts: Spark, Airflow, PostgreSQL, an S3 server; what
none of them shows is said below. After each: every row that was read is loaded, filtered, deduplicated or set aside, and the report says which; the tables are
those of a run that nobody disturbed; no reader ever sees half a window; no process stays.

Errors of the classes `config` and `data` fail the task at once, `resource` and `infrastructure` are tried again (`retries` of the pipeline).
"""


def page() -> str:
    """The text of docs/faults.md."""
    parts = [TOP]
    for title, (first, last) in CHAPTERS.items():
        rows = [
            f"| {name} | {of.breaks} | {of.says} | {_class(of)} | {of.holds} |"
            for name, of in FAULTS.items()
            if first <= name <= last
        ]
        head = ["| | breaks | the task says | class | the tables hold |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"## {title}", *head, *rows, ""]))
    unproven = [f"- {name}: {of.unproven}" for name, of in FAULTS.items() if of.unproven]
    parts.append("\n".join(["## Not proven", *unproven, *OPEN, ""]))
    return "\n".join(parts)


def _class(of: Fault) -> str:
    return f"`{of.error}`{', tried again' if RETRIED[of.error] else ''}" if of.error else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
