"""The Spark side: one plan (JSON) in, one report (JSON) out. Imports neither Airflow nor pydantic."""
