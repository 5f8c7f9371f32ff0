# The image of all services: one program, its packs, and nothing that is secret. Settings, passwords and keys come at
# run time: k8s/README.md. 一个程序与辖区包，不含任何密钥；设置与密码在运行时给出。
#
#   docker build -t gridward:0.1.0 .

FROM docker.io/library/rust:1.95-slim-trixie AS build
# As tests/setup.sh has them: SQLite and librdkafka are compiled from C, librdkafka with OpenSSL and zlib.
# Not pinned: Debian keeps only the newest of each.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential pkg-config libssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# What was compiled is kept between builds, and not in the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --workspace \
    && install -D target/release/gridward /out/gridward

FROM docker.io/library/debian:trixie-slim
# What librdkafka is linked with, and whom to trust where a broker or database has a public certificate.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3t64 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 gridward \
    && useradd --uid 10001 --gid 10001 --no-create-home --no-log-init --shell /usr/sbin/nologin gridward
COPY --from=build /out/gridward /usr/bin/gridward
COPY shared/packs /usr/share/gridward/packs
COPY LICENSE /usr/share/doc/gridward/LICENSE
# A number, so that `runAsNonRoot` can see that it is not 0. It writes nothing: its root may be read-only.
USER 10001:10001
EXPOSE 8080
# No HEALTHCHECK: Kubernetes has probes of its own and does not look at it, and there is no client in here to ask with.
# Elsewhere, ask /health/live from outside.
ENTRYPOINT ["/usr/bin/gridward"]
CMD ["--help"]
