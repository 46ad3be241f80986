"""New pipeline files, written from the classes of the language. Imports neither Airflow nor Spark."""
