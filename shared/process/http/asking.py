"""Asking: a sender may hold the body back until it is asked for it (`Expect: 100-continue`). Reading the body asks."""

from starlette.types import Scope


def waits_to_be_asked(scope: Scope) -> bool:
    """Return whether the sender of a request holds its body back."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])
