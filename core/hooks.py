"""The one extension point: named hooks that lower apps declare and higher apps fill.

An app declares a hook in its `hooks.py`. Whoever adds to it does so in its own `registrations.py`, which its
`AppConfig.ready` imports. Imports run downwards only, so this is how something above is reached from below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Callable[..., Any])

_declared: dict[str, Hook[Any]] = {}


class Hook(Generic[T]):
    """Functions or classes by name. A name that is taken twice, of a hook or in one, raises ValueError."""

    def __init__(self, name: str) -> None:
        if name in _declared:
            raise ValueError(f"the hook {name} is declared twice")
        self.name = name
        self._registered: dict[str, T] = {}
        _declared[name] = self

    def register(self, key: str) -> Callable[[T], T]:
        """Decorate what is to be registered under `key`. Registering the same thing again changes nothing."""

        def decorate(value: T) -> T:
            known = self._registered.get(key)
            if known is not None and known is not value:
                raise ValueError(f"{key} is registered twice in {self.name}")
            self._registered[key] = value
            return value

        return decorate

    def unregister(self, key: str) -> None:
        """Take a name out again, as tests do. Raises KeyError for one that is not in it."""
        del self._registered[key]

    def get(self, key: str) -> T | None:
        """Return the value registered under `key`; None where there is none."""
        return self._registered.get(key)

    def items(self) -> list[tuple[str, T]]:
        """Return (key, value) of all that is registered, in the order of registration."""
        return list(self._registered.items())

    def values(self) -> list[T]:
        """Return the values of all that is registered, in the order of registration."""
        return list(self._registered.values())
