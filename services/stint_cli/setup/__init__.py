"""Setup: from empty Kafka and Postgres to a deployment that a demo tenant can press on.

    commands      the arguments of `migrate`, `topics`, `demo` and `prepare`, and what each prints
    prepare       all of them in one process
    demo          tenants to try things out with, and their credentials in a file
    env_file      files of KEY='value' lines, to be sourced
    deployment    P, for life, and a checkpoint for each partition

Safe to change: what a command prints. With care: `deployment`; P is never changed after the first press.
"""
