# The image of docker-compose.airflow.yml: Airflow, Spark, this package and the Delta jars; no network at run time.
FROM apache/airflow:slim-3.3.2-python3.11
USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends default-jre-headless procps \
    && rm -rf /var/lib/apt/lists/*
RUN install --directory --owner airflow --group root /opt/etl
USER airflow
WORKDIR /opt/etl
COPY --chown=airflow:root requirements/compose.txt requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/build.txt \
    && pip install --no-cache-dir --no-build-isolation --require-hashes --requirement requirements/compose.txt
COPY --chown=airflow:root . .
RUN pip install --no-cache-dir --no-build-isolation --no-deps . && airflow-etl doctor --fetch-jars
ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/etl/dags SPARK_NO_DAEMONIZE=1
