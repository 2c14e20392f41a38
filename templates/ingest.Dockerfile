# Reads networks: the function that polls, and the listeners that stay connected. Built from the
# folder that `python -m templates.context` lays out. No Beam and no model runtime: ingest needs
# neither.
FROM python:3.11.14-slim-bookworm

WORKDIR /mltox
COPY requirements-build.txt requirements-ingest.txt ./
ENV PIP_NO_COMPILE=1 PIP_NO_CACHE_DIR=1
RUN pip install --require-hashes --requirement requirements-build.txt
RUN pip install --no-deps --require-hashes --no-build-isolation --requirement requirements-ingest.txt \
    && pip check
COPY mltox.tar.gz ./
RUN pip install --no-deps --no-build-isolation mltox.tar.gz \
    && python -c "import ingest.main, ingest.cli, ingest.cursors.gcs, google.cloud.secretmanager"

RUN useradd --create-home --uid 1000 mltox
USER 1000

# A container's log is read line by line, and its last lines are why it ended.
ENV PYTHONUNBUFFERED=1
ENV PORT=8080
ENV FUNCTION_TARGET=poll FUNCTION_SOURCE=/usr/local/lib/python3.11/site-packages/ingest/main.py

# Asks the function and, with --health-port 8080, a listener alike.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'], timeout=8)"]

# A listener: mltox ingest bluesky --health-port 8080 …
CMD ["functions-framework"]
