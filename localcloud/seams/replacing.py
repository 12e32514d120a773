"""Ministack's functions that a part of ours takes the place of."""

from collections.abc import Callable
from types import ModuleType
from typing import Any


class Replaceable:
    """One function of a ministack module, which finds it by its name at each call.

    Parameters
    ----------
    module
        Of ministack.
    name
        Of the function in it.
    """

    def __init__(self, module: ModuleType, name: str) -> None:
        self.module = module
        self.name = name

    def replace(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Put a function in its place and return what was there."""
        original: Callable[..., Any] = getattr(self.module, self.name)
        setattr(self.module, self.name, function)
        return original

    def call(self, *arguments: Any) -> Any:
        """Call what is in its place now."""
        return getattr(self.module, self.name)(*arguments)
