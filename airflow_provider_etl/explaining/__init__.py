"""A pipeline in words and as a graph. Imports neither Airflow nor Spark."""
