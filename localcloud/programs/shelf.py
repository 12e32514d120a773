"""Modules that are loaded already, and that a program has only once it imports them.

A program that is forked off a template must see what it would see after a start of its own: what it has not
imported is not in `sys.modules` and no attribute of its package, and a package of the same name that comes
earlier on its import path wins. What an import would have imported with it comes with it.

Only modules that every interpreter has loaded are imported here, so that all others can be recorded.
"""

from __future__ import annotations

import _frozen_importlib
import builtins
import sys
from _frozen_importlib_external import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from types import FrameType, ModuleType
    from typing import Any

_bootstrap: Any = _frozen_importlib


class Shelf:
    """A finder (`sys.meta_path`) of the modules that were loaded by `load`.

    Parameters
    ----------
    known
        Names of the modules that stay where they are.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._imports: dict[str, set[str]] = {}
        self._hidden: dict[str, ModuleType] = {}
        self._specs: dict[str, Any] = {}
        self._attributes: dict[str, tuple[Any, str]] = {}

    def load(self, names: Iterable[str]) -> None:
        """Import modules, and note what each module imports.

        Raises
        ------
        ImportError
            If one cannot be imported.
        """
        original, by_name = builtins.__import__, _bootstrap._gcd_import

        def recording(
            name: str,
            globals: Any = None,  # noqa: A002  # the names of what it stands for
            locals: Any = None,  # noqa: A002
            fromlist: Any = (),
            level: int = 0,
        ) -> Any:
            count = len(sys.modules)
            found = original(name, globals, locals, fromlist, level)
            self._note(_absolute(name, globals, level), fromlist, count)
            return found

        def recording_by_name(name: str, package: str | None = None, level: int = 0) -> Any:
            count = len(sys.modules)
            found = by_name(name, package, level)
            self._note(found.__name__, (), count)
            return found

        builtins.__import__, _bootstrap._gcd_import = recording, recording_by_name
        try:
            for name in names:
                __import__(name)
        finally:
            builtins.__import__, _bootstrap._gcd_import = original, by_name

    def hide(self, but: str = "") -> None:
        """Take everything that is not known out of sight, and become the first finder.

        Parameters
        ----------
        but
            Name of a module that stays, with all that it imports.
        """
        kept = {*self._known, *self._closure(but)}
        for name, module in list(sys.modules.items()):
            if name in kept or module is None:
                continue
            self._hidden[name] = module
            self._specs[name] = getattr(module, "__spec__", None)
        for name, module in self._hidden.items():
            parent, _, child = name.rpartition(".")
            package = self._hidden.get(parent) or sys.modules.get(parent)
            if getattr(package, "__dict__", {}).get(child) is module:
                self._attributes[name] = (package, child)
                delattr(package, child)
        for name in self._hidden:
            del sys.modules[name]
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec of a hidden module, and None of all others."""
        original = self._specs.get(name)
        if name not in self._hidden or original is None:
            return None
        if "." not in name and self._is_shadowed(name, original):
            for other in [found for found in self._hidden if found.partition(".")[0] == name]:
                del self._hidden[other]
            return None
        spec = _bootstrap.ModuleSpec(
            name, self, origin=original.origin, is_package=original.submodule_search_locations is not None
        )
        if original.submodule_search_locations is not None:
            spec.submodule_search_locations = list(original.submodule_search_locations)
        return spec

    def create_module(self, spec: Any) -> ModuleType:
        """Return the loaded module."""
        return self._hidden[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Bring a module back, with all that its import brought when it was loaded."""
        name = module.__spec__.name  # type: ignore[union-attr]  # the import system has set it
        for found in self._closure(name) & self._hidden.keys():
            sys.modules[found] = self._hidden.pop(found)
            if found in self._attributes:
                package, child = self._attributes[found]
                setattr(package, child, sys.modules[found])
        module.__spec__ = self._specs[name]

    def _note(self, name: str, fromlist: Sequence[str] | None, count: int) -> None:
        """Note an import for the module that is being run: it was made by its body, or by what that calls."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code.co_name != "<module>":
            frame = frame.f_back
        importer = frame.f_globals["__name__"] if frame is not None else ""
        new = zip(reversed(sys.modules), range(len(sys.modules) - count), strict=False)
        within = (f"{name}.{item}" for item in fromlist or ())
        self._imports.setdefault(importer, set()).update({name, *within, *(found for found, _ in new)})

    def _closure(self, name: str) -> set[str]:
        found: set[str] = set()
        pending = [name]
        while pending:
            each = pending.pop()
            if each not in found:
                found.add(each)
                pending += self._imports.get(each, ())
                parent = each.rpartition(".")[0]
                if parent:
                    pending.append(parent)
        return found

    @staticmethod
    def _is_shadowed(name: str, original: Any) -> bool:
        if not original.has_location:  # built in, or a package without a file of its own
            return False
        found = PathFinder.find_spec(name)
        return found is None or found.origin != original.origin


def _absolute(name: str, globals: Any, level: int) -> str:  # noqa: A002  # as the import system calls it
    if not level:
        return name
    package = globals.get("__package__") or globals["__name__"].rpartition(".")[0]
    parent: str = package.rsplit(".", level - 1)[0]
    return f"{parent}.{name}" if name else parent
