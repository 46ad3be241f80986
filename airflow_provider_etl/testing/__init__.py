"""Tests of pipelines: sample rows in, the rows expected out, in a scratch folder. Imports neither Airflow nor Spark."""
