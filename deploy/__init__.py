"""How Stint is installed and run: migrations, images, manifests, the local stack. No product code imports from here.

    migrations/     the database's tables, numbered
    local/          real Kafka and Postgres without Docker, behind `make run`
    images/         the images of our parts, and stand-ins for those that cannot be pulled
    docker/         what compose runs around them
    gateway/        which part answers which path
    k8s/            the same on Kubernetes
    *_page, settings_table, record_schemas, asyncapi, alerts    pages and documents that are written from code

Never: edit a migration that has been released. They go forward, by number.
"""
