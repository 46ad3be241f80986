"""The demo: real flights through a real Airflow, outside the wheel."""
