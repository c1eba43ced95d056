"""Setup: from empty Kafka and Postgres to a deployment that a demo tenant can press on.

    commands      the arguments of `migrate`, `topics`, `demo` and `prepare`, and what each prints
    prepare       all of them in one process
    demo          tenants to try things out with, and their credentials in a file

Safe to change: what a command prints.
"""
