# `mltox serve`: Perspective's contract over the bundle that ships, for Docker and Cloud Run. Built
# from the folder that `python -m templates.context` lays out. No Beam, no pandas, no torch.
FROM python:3.11.14-slim-bookworm

WORKDIR /mltox
COPY requirements-build.txt requirements-serve.txt ./
ENV PIP_NO_COMPILE=1 PIP_NO_CACHE_DIR=1
RUN pip install --require-hashes --requirement requirements-build.txt
RUN pip install --no-deps --require-hashes --no-build-isolation --requirement requirements-serve.txt \
    && pip check
COPY mltox.tar.gz ./
RUN pip install --no-deps --no-build-isolation mltox.tar.gz \
    && python -c "import commands.serve, google.cloud.pubsub_v1, google.cloud.storage"

RUN useradd --create-home --uid 1000 mltox
USER 1000

# A container's log is read line by line, and its last lines are why it ended.
ENV PYTHONUNBUFFERED=1
ENV PORT=8080

HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=8)"]

# Without options nobody else is let in: give --keys FILE, or --open behind a door such as IAM.
ENTRYPOINT ["sh", "-c", "exec mltox serve --host 0.0.0.0 --port \"$PORT\" --log_format json \"$@\"", "serve"]
