"""How many machines a load needs: measured figures, a load and arithmetic; imports neither Airflow nor Spark."""
