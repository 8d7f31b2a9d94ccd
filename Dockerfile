# One image for every part of Airflow. All packages are pinned by hash in the two locks and come as wheels, so that nothing is
# compiled and nothing else is fetched. For the same bytes each time, pin the base too: --build-arg BASE=python:3.12-slim-bookworm@sha256:…
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/newsmill
RUN python -m venv /opt/venv
COPY requirements.lock requirements-distributed.lock ./
RUN /opt/venv/bin/pip install --no-deps --require-hashes --only-binary :all: -r requirements.lock \
    && /opt/venv/bin/pip install --no-deps --require-hashes --only-binary :all: -r requirements-distributed.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY pipeline pipeline
COPY embedded embedded
COPY config/feeds.toml config/
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation --no-index .

FROM ${BASE}
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 AIRFLOW_HOME=/var/lib/airflow
# Volumes take their owner from these directories.
RUN groupadd --gid 10001 newsmill \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/airflow --shell /usr/sbin/nologin newsmill \
    && install -d -o newsmill -g newsmill -m 0750 /var/lib/airflow /var/lib/airflow-users /var/lib/newsmill /var/log/airflow
COPY --from=build /opt/venv /opt/venv
WORKDIR /opt/newsmill
COPY config config
COPY dags dags
USER 10001:10001
CMD ["newsmill", "--help"]
