# The service without torch: it answers from a home that is mounted, and rebuilds with an encoder that was exported before
# (docs/operations.md, "In a container").
#
#   docker build --tag newsroom-recommender .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     --volume news:/var/lib/recommender --publish 127.0.0.1:8000:8000 newsroom-recommender

FROM python:3.11-slim-bookworm AS build
ARG EXTRAS=onnx,otel
WORKDIR /build
RUN python -m venv /opt/recommender
COPY pyproject.toml README.md LICENSE ./
COPY recommender recommender
RUN /opt/recommender/bin/pip install --no-cache-dir ".[${EXTRAS}]" \
    && /opt/recommender/bin/python -m compileall -q /opt/recommender/lib

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 recommender \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/recommender --shell /usr/sbin/nologin recommender \
    && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/recommender \
    && install --directory /etc/recommender
COPY --from=build /opt/recommender /opt/recommender
# A recommender.toml in the working directory is read; mount one there. Lists of known articles need no model.
WORKDIR /etc/recommender
ENV PATH=/opt/recommender/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RECOMMENDER_HOME=/var/lib/recommender/index \
    RECOMMENDER_SERVE__HOST=0.0.0.0 \
    RECOMMENDER_SERVE__LOG_FORMAT=json
VOLUME /var/lib/recommender
EXPOSE 8000
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["recommender"]
CMD ["serve", "--workers", "2"]
