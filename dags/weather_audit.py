"""A DAG that checks tables and loads none: a check stands alone, whoever has written the table.

What is wrong with the source or the checks is told when this file is parsed, by the rules of pipeline files. The table
is the one that weather_by_hand.py loads.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_provider_etl import CheckOperator

with DAG(
    "weather_audit",
    schedule=CronDataIntervalTimetable("@daily", timezone="America/New_York"),
    start_date=datetime(2013, 1, 1, 5, tzinfo=UTC),
    end_date=datetime(2013, 1, 8, tzinfo=UTC),
    catchup=False,
    tags=["example"],
):
    CheckOperator(
        task_id="day",
        source={"table": {"path": "${env.lake}/weather_by_day", "window": {"column": "first_hour"}}},
        window="{{ data_interval_start }}/{{ data_interval_end }}",
        timezone="America/New_York",
        checks=[
            {"not_null": ["origin"]},
            {"row_count": {"min": 1}},
            {"in_range": {"column": "coldest", "min": -60, "max": 140, "on_fail": "warn"}},
        ],
    )
