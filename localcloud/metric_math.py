"""Values of CloudWatch metrics in a window: a statistic, metric math, or a Metrics Insights query.

Metric math: ``+ - * / **``, comparisons, ``SUM AVG MIN MAX ABS FILL IF`` over ids. Metrics Insights:
``SELECT FUNCTION(metric) FROM "namespace" | SCHEMA("namespace", dimension, ...) [WHERE dimension = 'value'
AND ...]``. Everything else is refused by name.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from localcloud.seams import cloudwatch

Point = dict[str, Any]
Window = tuple[float, float]

_QUERY = re.compile(
    r"""^\s*SELECT\s+(?P<function>\w+)\(\s*"?(?P<metric>[\w./-]+)"?\s*\)\s+
    FROM\s+(?:SCHEMA\(\s*"?(?P<schema>[\w./-]+)"?\s*(?P<dimensions>(?:,\s*"?\w+"?\s*)*)\)|"?(?P<namespace>[\w./-]+)"?)
    (?:\s+WHERE\s+(?P<where>.+?))?\s*$""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_CONDITION = re.compile(r"""^\s*"?(?P<name>\w+)"?\s*=\s*'(?P<value>[^']*)'\s*$""")
_QUERY_STATISTICS = {
    "SUM": "Sum",
    "AVG": "Average",
    "MIN": "Minimum",
    "MAX": "Maximum",
    "COUNT": "SampleCount",
}
_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
}


class UnsupportedExpressionError(ValueError):
    """The local cloud cannot evaluate an expression; the message quotes it."""


def check(queries: Iterable[Mapping[str, Any]]) -> None:
    """Refuse queries that cannot be evaluated.

    Raises
    ------
    UnsupportedExpressionError
        Quoting the expression.
    """
    listed = list(queries)
    value_of(listed, (0.0, 1.0))


def value_of(queries: Sequence[Mapping[str, Any]], window: Window) -> float | None:
    """Return the value of the query that returns data, or None when there is no datapoint.

    Parameters
    ----------
    queries
        ``Metrics`` of an alarm.
    window
        Start (excluded) and end (included), Unix time in seconds.

    Raises
    ------
    UnsupportedExpressionError
        As `check`.
    """
    by_id = {str(query["Id"]): query for query in queries}
    returned = [
        name for name, query in by_id.items() if str(query.get("ReturnData", True)).lower() != "false"
    ]
    if len(returned) != 1:
        raise UnsupportedExpressionError(f"exactly one of {sorted(by_id)} must return data")
    return _query_value(by_id, returned[0], window)


def statistic(
    namespace: str, metric: str, dimensions: Mapping[str, str], name: str, window: Window
) -> float | None:
    """Return a statistic of one metric in a window, or None without datapoints."""
    key = (namespace, metric, cloudwatch.dims_key(dict(dimensions)))
    return _statistic(cloudwatch.metrics.get(key) or (), name, window)


def _query_value(by_id: Mapping[str, Mapping[str, Any]], name: str, window: Window) -> float | None:
    query = by_id.get(name)
    if query is None:
        raise UnsupportedExpressionError(f"no metric has the id {name!r}")
    stat = query.get("MetricStat")
    if stat:
        metric = stat["Metric"]
        dimensions = {found["Name"]: found["Value"] for found in metric.get("Dimensions") or ()}
        return statistic(metric["Namespace"], metric["MetricName"], dimensions, stat["Stat"], window)
    expression = str(query.get("Expression", ""))
    if expression.lstrip().upper().startswith("SELECT"):
        return _insight(expression, window)
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError as error:
        raise UnsupportedExpressionError(f"cannot read the expression {expression!r}") from error
    return _Math(by_id, expression, window).value(tree)


class _Math:
    def __init__(self, by_id: Mapping[str, Mapping[str, Any]], expression: str, window: Window) -> None:
        self._by_id = by_id
        self._expression = expression
        self._window = window

    def value(self, node: ast.AST) -> float | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return float(node.value)
        if isinstance(node, ast.Name):
            return _query_value(self._by_id, node.id, self._window)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            operand = self.value(node.operand)
            return None if operand is None else -operand
        if isinstance(node, ast.BinOp):
            return self._apply(type(node.op), self.value(node.left), self.value(node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._apply(type(node.ops[0]), self.value(node.left), self.value(node.comparators[0]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id.upper(), node.args)
        raise self._unsupported()

    def _apply(self, kind: type[ast.AST], left: float | None, right: float | None) -> float | None:
        function = _OPERATORS.get(kind)
        if function is None:
            raise self._unsupported()
        if left is None or right is None or (kind is ast.Div and right == 0):
            return None
        return float(function(left, right))

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> float | None:
        if name == "FILL" and len(arguments) == 2:
            found = self.value(arguments[0])
            return found if found is not None else self.value(arguments[1])
        if name == "IF" and len(arguments) == 3:
            return self.value(arguments[1] if self.value(arguments[0]) else arguments[2])
        if name == "ABS" and len(arguments) == 1:
            found = self.value(arguments[0])
            return None if found is None else abs(found)
        if name in _AGGREGATES and arguments:
            items = [
                part for item in arguments for part in (item.elts if isinstance(item, ast.List) else [item])
            ]
            values = [found for item in items if (found := self.value(item)) is not None]
            return _AGGREGATES[name](values) if values else None
        raise self._unsupported()

    def _unsupported(self) -> UnsupportedExpressionError:
        return UnsupportedExpressionError(f"the local cloud cannot evaluate {self._expression!r}")


def _insight(expression: str, window: Window) -> float | None:
    match = _QUERY.match(expression)
    if match is None or match["function"].upper() not in _QUERY_STATISTICS:
        raise UnsupportedExpressionError(f"the local cloud cannot evaluate {expression!r}")
    wanted = {}
    for condition in re.split(r"\s+AND\s+", match["where"], flags=re.IGNORECASE) if match["where"] else ():
        found = _CONDITION.match(condition)
        if found is None:
            raise UnsupportedExpressionError(
                f"the local cloud cannot evaluate {condition!r} in {expression!r}"
            )
        wanted[found["name"]] = found["value"]
    names = set(re.findall(r"\w+", match["dimensions"] or ""))
    namespace = match["schema"] or match["namespace"]
    points: list[Point] = []
    for (found_namespace, metric, _), series in list(cloudwatch.metrics.items()):
        if found_namespace != namespace or metric != match["metric"] or not series:
            continue
        dimensions = _dimensions(series[0])
        if match["schema"] and set(dimensions) != names:
            continue
        if all(dimensions.get(name) == value for name, value in wanted.items()):
            points += series
    return _statistic(points, _QUERY_STATISTICS[match["function"].upper()], window)


def _dimensions(point: Point) -> dict[str, str]:
    return dict(point.get("Dimensions") or {})


def _statistic(points: Iterable[Point], name: str, window: Window) -> float | None:
    start, end = window
    inside = [point for point in list(points) if start < point["Timestamp"] <= end]
    if not inside:
        return None
    value = cloudwatch.stat_value(cloudwatch.calc_stats(inside), name, inside)
    return None if value is None else float(value)
