"""Values: records in memory that nobody changes once they are made. A change is another value: `replace`.

mypy refuses an assignment to a field. Python itself does not, because a dataclass that Python freezes takes three times
as long to make, and the fold makes some fifteen values for each press (docs/adr/0029-values-are-plain-dataclasses.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, overload

_T = TypeVar("_T")


@overload
def value(kind: type[_T], /) -> type[_T]: ...


@overload
def value(*, kw_only: bool = ..., order: bool = ...) -> Callable[[type[_T]], type[_T]]: ...


@dataclass_transform(frozen_default=True)
def value(kind: type[Any] | None = None, /, *, kw_only: bool = False, order: bool = False) -> Any:
    """Make a class a value: compared and hashed by its fields. `kw_only`: made with the names of its fields alone."""
    made = dataclass(kw_only=kw_only, order=order, unsafe_hash=True)
    return made if kind is None else made(kind)


if TYPE_CHECKING:
    from dataclasses import replace
else:

    def replace(before: _T, /, **changes: Any) -> _T:  # noqa: ANN401
        """Return a copy of a value, with these fields changed. mypy knows it as `dataclasses.replace`."""
        after = object.__new__(before.__class__)
        fields = after.__dict__
        fields.update(before.__dict__)
        fields.update(changes)
        return after


__all__ = ["replace", "value"]
