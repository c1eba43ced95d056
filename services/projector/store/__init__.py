"""The store: SQL, and the few functions that run it. Nothing here decides anything about a press."""
