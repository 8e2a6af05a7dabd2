# Two programs, two images: `docker build --target server -t tickettoken .` and `docker build --target gate -t tickettoken-gate .`
# Packages come hash-checked from the locks; the programs run as nobody in particular and write only into their volumes.
ARG PYTHON=3.13-slim-trixie

FROM python:${PYTHON} AS server-packages
COPY requirements-server.lock /tmp/requirements.lock
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/requirements.lock

FROM python:${PYTHON} AS gate-packages
COPY requirements-gate.lock /tmp/requirements.lock
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/requirements.lock


FROM node:22-slim AS charts
COPY server /build/server
RUN cd /build/server/web/ops/charts && npm ci --no-audit --no-fund --ignore-scripts


FROM python:${PYTHON} AS server
# PostgreSQL's programs are for `tickettoken backup` and `restore`; they have to be of the database's version or newer.
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 tickettoken \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tickettoken
COPY --from=server-packages /venv /venv
COPY shared /app/shared
COPY server /app/server
COPY --from=charts /build/server/web/ops/charts/node_modules/uplot /app/server/web/ops/charts/node_modules/uplot
COPY migrations /app/migrations
RUN printf '#!/bin/sh\nexec /venv/bin/python -m server "$@"\n' >/usr/local/bin/tickettoken \
 && chmod 0755 /usr/local/bin/tickettoken \
 && /venv/bin/python -m compileall -q /app
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=3004
WORKDIR /app
USER 10001:10001
# 9464 tells metrics, where METRICS_PORT says so.
EXPOSE 3004 9464
# Leaving takes DRAIN_SECONDS and up to ten seconds more; kill only after that.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/ready\", timeout=4)"]
ENTRYPOINT ["tickettoken"]
CMD ["serve"]


FROM python:${PYTHON} AS gate
# libzbar is the second decoder; the first is a Python package.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libzbar0 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10002 tickettoken-gate \
 && useradd --uid 10002 --gid 10002 --groups video --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tickettoken-gate \
 && install -d -o 10002 -g 10002 -m 0700 /var/lib/tickettoken-gate
COPY --from=gate-packages /venv /venv
COPY shared /app/shared
COPY gate /app/gate
RUN printf '#!/bin/sh\nexec /venv/bin/python -m gate "$@"\n' >/usr/local/bin/tickettoken-gate \
 && chmod 0755 /usr/local/bin/tickettoken-gate \
 && /venv/bin/python -m compileall -q /app
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    TICKETTOKEN_GATE_DATA=/var/lib/tickettoken-gate
WORKDIR /app
USER 10002:10002
VOLUME /var/lib/tickettoken-gate
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["tickettoken-gate", "status", "--json"]
ENTRYPOINT ["tickettoken-gate"]
CMD ["run", "--headless"]
