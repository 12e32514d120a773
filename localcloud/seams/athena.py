"""Athena: queries that ran, the tables that a query names, and where its result is written."""

from collections.abc import Callable
from typing import Any

from ministack.services import athena as _athena

from localcloud.seams.replacing import Replaceable

executions: Any = _athena._executions
table_references: Callable[[str], list[Any]] = _athena._table_references

text_of: Callable[[Any], str] = _athena._datum_text
"""A value as a result has it."""

run_query = Replaceable(_athena, "_run_duckdb")
start_query = Replaceable(_athena, "_start_query_execution")
save_results = Replaceable(_athena, "_save_query_results")
