"""The programs of Stint. They never import each other: what they share is a fact, in `shared`."""
