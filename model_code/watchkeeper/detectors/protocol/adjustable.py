"""Parameters as scikit-learn's estimators have them: stored as they are given, told and changed by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from watchkeeper.core.errors import InvalidInputError

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self


class Adjustable:
    """A constructor whose parameters are attributes."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **values: Any) -> Self:
        """Change the constructor's parameters, as scikit-learn does."""
        allowed = self.get_params()
        for name, value in values.items():
            if name not in allowed:
                raise InvalidInputError(
                    f"{name} is not a parameter; allowed are {', '.join(sorted(allowed))}"
                )
            setattr(self, name, value)
        return self
