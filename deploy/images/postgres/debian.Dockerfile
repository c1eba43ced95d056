# A stand-in for postgres:17, from Debian's own packages: with TLS, which the wheel's server lacks.
FROM python:3.13-slim
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN useradd --uid 999 --system --user-group --home-dir /var/lib/postgresql postgres \
    && mkdir -p /etc/postgresql-common /docker-entrypoint-initdb.d \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-17 > /dev/null 2>&1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && install --directory --owner postgres --group postgres --mode 1777 /var/lib/postgresql \
    && install --directory --owner postgres --group postgres --mode 3777 /run/postgresql \
    && sed -i "s/^#*listen_addresses = .*/listen_addresses = '*'/" /usr/share/postgresql/17/postgresql.conf.sample
COPY docker-entrypoint.sh /usr/local/bin/
LABEL stint.stand-in=postgres
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
