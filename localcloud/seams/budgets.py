"""Budgets: what the API keeps of them."""

from collections.abc import Callable
from typing import Any

from ministack.services import budgets as _budgets

create_budget: Callable[..., Any] = _budgets._create_budget
delete_budget: Callable[..., Any] = _budgets._delete_budget
