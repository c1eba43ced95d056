"""How Stint is put on machines: migrations, and the local stack. No product code imports from here.

Never: edit a migration that has been released. They go forward, by number.
"""
