"""How Stint is installed and run: migrations, images, manifests, the local stack. No product code imports from here.

    migrations/     the database's tables, numbered
    local/          real Kafka and Postgres without Docker, behind `make run`
    images/         the images of our parts, and stand-ins for those that cannot be pulled
    docker/         what compose runs around them
    gateway/        which part answers which path
    k8s/            the same on Kubernetes
    Dockerfile      one image for all our services; `stint` is the operator's command in it
    alerts.yml      an alert for each alarm, for Prometheus
    roles.sql       makes the Postgres roles of the services
    pages/          pages and documents that are written from code
    outcome_dictionary    makes the dictionary that rows of outcomes are packed with

Never: edit a migration that has been released. They go forward, by number.
"""
