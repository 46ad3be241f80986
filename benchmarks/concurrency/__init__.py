"""Many pipelines due at once with nothing to do: what is left is Airflow's overhead, and ours."""
