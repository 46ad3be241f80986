"""A DAG written by hand with the same operators that the factory uses, one task per verb.

The pipeline may be a file or, as here, a mapping in the same language. What a file would say of schedule and retries, a
DAG says itself; mind the timetable: a bare "@daily" gives Airflow 3 no data interval, and so no window.

On Airflow 2.11 the three imports are `airflow.DAG`, `airflow.datasets.Dataset` for `Asset`, and
`airflow.timetables.interval.CronDataIntervalTimetable`.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable

from airflow_provider_etl import CheckOperator, ExtractOperator, LoadOperator, TransformOperator

WEATHER = {
    "description": "The day's weather at each airport",
    "schedule": "manual",  # the DAG below decides when it runs
    "timezone": "America/New_York",
    "extract": {
        "weather": {
            "type": "files",
            "path": "${env.raw}/weather/${window.start:%Y-%m-%d}.csv",
            "format": "csv",
            "columns": {
                "origin": {"type": "string", "required": True},
                "time_hour": {"type": "timestamp", "required": True},
                "temp": {"type": "double"},
            },
            "null_values": ["", "NA"],
            "new_columns": "discard",
        }
    },
    "transform": [
        {"from": "weather"},
        {
            "aggregate": {
                "by": ["origin"],
                "values": {"coldest": "min(temp)", "warmest": "max(temp)", "first_hour": "min(time_hour)"},
            }
        },
    ],
    "check": [{"not_null": ["origin"]}, {"row_count": {"min": 1}}],
    "load": {
        "lake": {
            "type": "delta",
            "path": "${env.lake}/weather_by_day",
            "write": {"strategy": "replace_window", "column": "first_hour"},
        }
    },
}

with DAG(
    "weather_by_hand",
    schedule=CronDataIntervalTimetable("@daily", timezone="America/New_York"),
    start_date=datetime(2013, 1, 1, 5, tzinfo=UTC),
    end_date=datetime(2013, 1, 8, tzinfo=UTC),
    catchup=False,
    tags=["example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
):
    extract = ExtractOperator(task_id="extract", pipeline=WEATHER)
    transform = TransformOperator(task_id="transform", pipeline=WEATHER, staged=extract.output)
    check = CheckOperator(task_id="check", pipeline=WEATHER, staged=transform.output)
    LoadOperator(task_id="load", pipeline=WEATHER, staged=check.output, outlets=[Asset(name="weather_by_hand.lake")])
