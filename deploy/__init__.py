"""How Stint is installed and run: migrations, images, manifests, the local stack. No product code imports from here.

Never: edit a migration that has been released. They go forward, by number.
"""
