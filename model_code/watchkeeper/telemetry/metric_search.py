"""CloudWatch's search expressions: which metrics one finds.

The grammar, and how names are taken apart into tokens:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from watchkeeper.core.errors import InvalidInputError

LONGEST = 1024
"""Characters of an expression, as CloudWatch takes them."""
DEEPEST = 30
"""Parentheses within each other that are understood; people need few."""
METRIC_NAME, NAMESPACE = "MetricName", "Namespace"
"""Designators of what is no dimension."""
_ACCOUNT = ":aws.AccountId"
_LOCAL = "LOCAL"
_CALL = re.compile(r"SEARCH\s*\(\s*'(.*)'\s*,\s*'([^']+)'\s*(?:,\s*(\d+)\s*)?\)", re.DOTALL)
_CALLED = re.compile(r"\bSEARCH\s*\(\s*'")
_SCHEMA = re.compile(r"\s*\{((?:\"(?:[^\"\\]|\\.)*\"|[^{}\"])*)\}\s*,?")
_LISTED = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(,|$)')
_LEXEME = re.compile(r"\s*(?:(\"(?:[^\"\\]|\\.)*\"|'[^']*')|([()=])|([^\s()=\"']+))")
_ESCAPED = re.compile(r"\\([\"\\()])")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_OPERATORS = ("AND", "OR", "NOT")


@dataclass(frozen=True)
class FoundMetric:
    """A metric as ListMetrics tells it."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]

    def texts(self, designator: str | None) -> list[str]:
        """Return what a term is compared with: of one designator, or of all."""
        match designator:
            case None:
                return [self.name, self.namespace, *self.dimensions, *self.dimensions.values()]
            case "MetricName":
                return [self.name]
            case "Namespace":
                return [self.namespace, *self._of(designator)]
            case _:
                return self._of(designator)

    def _of(self, dimension: str) -> list[str]:
        return [self.dimensions[dimension]] if dimension in self.dimensions else []

    def place(self, dimensions: Sequence[str]) -> tuple[str, ...]:
        """Return a value of each of a workload's dimensions; where the metric has none so called, they are
        its name and its namespace."""
        told = {METRIC_NAME: self.name, NAMESPACE: self.namespace, **self.dimensions}
        return tuple(told[name] for name in dimensions)


@dataclass(frozen=True)
class _Term:
    """A word, or a text in quotes, that a metric has; with a designator, there."""

    text: str
    exact: bool
    designator: str | None

    def finds(self, metric: FoundMetric) -> bool:
        texts = metric.texts(self.designator)
        return self.text in texts if self.exact else any(_has(text, self.text) for text in texts)

    def only(self, designator: str) -> frozenset[str] | None:
        return frozenset([self.text]) if self.exact and self.designator == designator else None


@dataclass(frozen=True)
class _Not:
    term: _Condition

    def finds(self, metric: FoundMetric) -> bool:
        return not self.term.finds(metric)

    def only(self, designator: str) -> frozenset[str] | None:
        return None


@dataclass(frozen=True)
class _All:
    terms: tuple[_Condition, ...]

    def finds(self, metric: FoundMetric) -> bool:
        return all(term.finds(metric) for term in self.terms)

    def only(self, designator: str) -> frozenset[str] | None:
        known = [values for term in self.terms if (values := term.only(designator)) is not None]
        return frozenset.intersection(*known) if known else None


@dataclass(frozen=True)
class _Any:
    terms: tuple[_Condition, ...]

    def finds(self, metric: FoundMetric) -> bool:
        return any(term.finds(metric) for term in self.terms)

    def only(self, designator: str) -> frozenset[str] | None:
        found = [term.only(designator) for term in self.terms]
        known = [values for values in found if values is not None]
        return frozenset.union(*known) if len(known) == len(found) else None


_Condition = _Term | _Not | _All | _Any


@dataclass(frozen=True)
class MetricSearch:
    """A search expression that was understood.

    Parameters
    ----------
    namespace
        Of the metric schema; None without one.
    dimensions
        Of the metric schema, which finds metrics with exactly these; None without one.
    stat, period_seconds
        What the whole form `SEARCH('…', 'Sum', 300)` says; None if it does not.
    """

    namespace: str | None
    dimensions: tuple[str, ...] | None
    condition: _Condition
    stat: str | None = None
    period_seconds: int | None = None

    def finds(self, metric: FoundMetric) -> bool:
        """Tell whether it is one of those.

        Examples
        --------
        >>> search = search_of('{AWS/Lambda,FunctionName} MetricName="Errors" NOT test')
        >>> search.finds(FoundMetric("AWS/Lambda", "Errors", {"FunctionName": "shop-orders"}))
        True
        >>> search.finds(FoundMetric("AWS/Lambda", "Errors", {"FunctionName": "shopTest1"}))
        False
        """
        if self.namespace is not None and metric.namespace != self.namespace:
            return False
        if self.dimensions is not None and metric.dimensions.keys() != set(self.dimensions):
            return False
        return self.condition.finds(metric)

    @property
    def names(self) -> frozenset[str] | None:
        """The names that metrics may have which it finds; None: any."""
        return self.condition.only(METRIC_NAME)

    @property
    def namespaces(self) -> frozenset[str] | None:
        """Likewise their namespaces."""
        found = self.condition.only(NAMESPACE)
        return found if self.namespace is None else frozenset([self.namespace])

    def within(self, namespace: str | None) -> MetricSearch:
        """Return the same in a namespace, if it names none itself."""
        return replace(self, namespace=namespace) if namespace and self.namespaces is None else self

    def dimensions_of(self, dimensions: Sequence[str]) -> list[str]:
        """Return those of a workload's dimensions that are dimensions of the metrics, not what these are
        called or their namespace."""
        own = self.dimensions or ()
        return [name for name in dimensions if name in own or name not in (METRIC_NAME, NAMESPACE)]

    def check(self, dimensions: Sequence[str]) -> None:
        """Refuse a search in which a series would be several metrics.

        Parameters
        ----------
        dimensions
            Of the workload.

        Raises
        ------
        InvalidInputError
            With what to write instead.
        """
        own = self.dimensions_of(dimensions)
        if self.dimensions is not None and set(own) != set(self.dimensions):
            raise InvalidInputError(
                f"finds metrics with the dimensions {_told(self.dimensions)}, and the workload has "
                f"{_told(own)}: they must be the same (beside them, {METRIC_NAME} and {NAMESPACE} may be "
                "dimensions of the workload)"
            )
        for designator, known in ((METRIC_NAME, self.names), (NAMESPACE, self.namespaces)):
            if designator not in dimensions and (known is None or len(known) > 1):
                raise InvalidInputError(
                    f"may find metrics with another {designator} and the same dimensions, which "
                    f'would be one series: add {designator}="…" to it, or {designator} to the dimensions'
                )


def search_for(namespace: str, name: str, dimensions: Sequence[str]) -> MetricSearch:
    """Return the search that finds the metrics of a name with just these dimensions."""
    return MetricSearch(namespace, tuple(dimensions), _Term(name, True, METRIC_NAME))


def search_of(expression: str) -> MetricSearch:
    """Read an expression: `SEARCH('{Namespace,Dimension} term', 'Sum', 300)`, or what is in its first quotes.

    NOT binds before AND, which is also what stands between terms without operator, and AND before OR.

    Raises
    ------
    InvalidInputError
        With what is wrong where, and what to write instead.
    """
    if len(expression) > LONGEST:
        raise InvalidInputError(f"has {len(expression):,} characters; a search has at most {LONGEST:,}")
    text, stat, period = expression, None, None
    if _CALLED.search(expression):
        call = _CALL.fullmatch(expression.strip())
        if call is None:
            raise InvalidInputError(
                "must be SEARCH('{Namespace,Dimension} term', 'Statistic', seconds), and nothing around it: "
                "metric math is not evaluated"
            )
        text, stat = call[1], call[2]
        period = int(call[3]) if call[3] else None
    namespace, dimensions, rest = _schema(text)
    lexemes = _lexemes(rest)
    if namespace is None and not lexemes:
        raise InvalidInputError("finds nothing: write a metric schema {Namespace,Dimension}, terms, or both")
    condition: _Condition = _Reader(lexemes).condition() if lexemes else _All(())
    return MetricSearch(namespace, dimensions, condition, stat, period)


def _schema(text: str) -> tuple[str | None, tuple[str, ...] | None, str]:
    if not text.lstrip().startswith("{"):
        return None, None, text
    found = _SCHEMA.match(text)
    if found is None:
        raise InvalidInputError("the metric schema has no end: write } after the last dimension")
    names, at, inside = list[str](), 0, found[1].strip()
    while at < len(inside) or not names:
        listed = _LISTED.match(inside, at)
        if listed is None or (listed[3] and listed.end() == len(inside)):
            raise InvalidInputError(
                f"the metric schema {{{found[1]}}} must be a namespace and names of dimensions, with a comma "
                "between, and in double quotes where they have spaces"
            )
        names.append(_plain(listed[1]) if listed[1] is not None else listed[2])
        at = listed.end()
    if len(set(names[1:])) < len(names) - 1:
        raise InvalidInputError(f"the metric schema {{{found[1]}}} has a dimension twice")
    return names[0], tuple(names[1:]), text[found.end() :]


def _lexemes(text: str) -> list[str]:
    found, at, end = list[str](), 0, len(text.rstrip())
    while at < end:
        lexeme = _LEXEME.match(text, at)
        if lexeme is None:
            raise InvalidInputError(f"the quote at {text[at:].strip()[:20]!r} has no end")
        found.append(next(each for each in lexeme.groups() if each is not None))
        at = lexeme.end()
    return found


class _Reader:
    """Reads terms by descent: OR, AND, NOT, and what is in parentheses."""

    def __init__(self, lexemes: list[str]) -> None:
        self._lexemes, self._at, self._depth = lexemes, 0, 0

    def condition(self) -> _Condition:
        found = self._any(None)
        if self._next() is not None:
            raise InvalidInputError(f"there is a {self._next()} too much: nothing was opened before it")
        return found

    def _next(self, after: int = 0) -> str | None:
        at = self._at + after
        return self._lexemes[at] if at < len(self._lexemes) else None

    def _any(self, designator: str | None) -> _Condition:
        found = [self._all(designator)]
        while self._next() == "OR":
            self._at += 1
            found.append(self._all(designator))
        return found[0] if len(found) == 1 else _Any(tuple(found))

    def _all(self, designator: str | None) -> _Condition:
        found = [self._one(designator)]
        while self._next() not in (None, ")", "OR"):
            if self._next() == "AND":
                self._at += 1
            found.append(self._one(designator))
        return found[0] if len(found) == 1 else _All(tuple(found))

    def _one(self, designator: str | None) -> _Condition:
        lexeme = self._next()
        if lexeme is None or lexeme in (")", "=", "AND", "OR"):
            before = self._lexemes[self._at - 1] if self._at else "the beginning"
            raise InvalidInputError(
                f"there is no term after {before}: write one, or put a word such as AND in double quotes"
            )
        self._at += 1
        if lexeme in ("NOT", "("):
            return self._inner(lexeme, designator)
        if self._next() == "=":
            if designator is not None:
                raise InvalidInputError(f"{lexeme}= is within {designator}=( … ): write it outside")
            self._at += 1
            return self._designated(_plain(lexeme[1:-1]) if _is_quoted(lexeme) else lexeme)
        return _term(lexeme, designator)

    def _inner(self, opened: str, designator: str | None) -> _Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise InvalidInputError(f"has more than {DEEPEST} of NOT and parentheses within each other")
        found = _Not(self._one(designator)) if opened == "NOT" else self._any(designator)
        self._depth -= 1
        if opened == "(":
            if self._next() != ")":
                raise InvalidInputError("a parenthesis has no end: write ) after its last term")
            self._at += 1
        return found

    def _designated(self, designator: str) -> _Condition:
        if designator != _ACCOUNT:
            return self._one(designator)
        account = self._next()
        if account is None or account.strip("'\"") != _LOCAL:
            raise InvalidInputError(
                f"{_ACCOUNT}: metrics of other accounts are not read; leave it out, and deploy the workload "
                "in the account that has the metrics"
            )
        self._at += 1
        return _All(())


def _term(lexeme: str, designator: str | None) -> _Term:
    if lexeme[0] == "'":
        raise InvalidInputError(
            f"{lexeme} is in single quotes: those are around a whole search; what must be met exactly is in "
            "double quotes"
        )
    if _is_quoted(lexeme):
        return _Term(_plain(lexeme[1:-1]), True, designator)
    if lexeme.upper() in _OPERATORS:
        raise InvalidInputError(
            f'{lexeme} is no operator: write {lexeme.upper()}, or "{lexeme}" if it is looked for'
        )
    if not _PART.search(lexeme):
        raise InvalidInputError(f"the term {lexeme} has no letter and no digit: put it in double quotes")
    return _Term(lexeme, False, designator)


def _is_quoted(lexeme: str) -> bool:
    return lexeme[0] in "\"'"


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _told(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _has(text: str, word: str) -> bool:
    """Tell whether a name has a word's tokens, one after the other.

    One token is found in any case. Several that only their capitals or digits part are found as they are
    written (`CustomCount`, but not `customcount`); with a character between them, in any case again.
    """
    parts, wanted = _PART.findall(text), _PART.findall(word)
    same: Callable[[str], str] = str.lower
    if len(wanted) > 1 and re.fullmatch(r"[^\W_]+", word):
        same = str
    parts, wanted = [same(part) for part in parts], [same(part) for part in wanted]
    if any(parts[at : at + len(wanted)] == wanted for at in range(len(parts) - len(wanted) + 1)):
        return True
    return len(wanted) > 1 and _whole(word) == _whole(text)


def _whole(text: str) -> str:
    return "".join(_PART.findall(text)).lower()
