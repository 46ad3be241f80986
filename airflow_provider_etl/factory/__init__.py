"""The factory: pipeline files become DAGs, with the arguments that a person would write."""
