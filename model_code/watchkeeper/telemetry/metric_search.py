"""Search expressions of CloudWatch, as dashboards have them: which metrics one finds.

They are understood here and held against what ListMetrics says, because CloudWatch itself gives 500 series of
a search at most and says nothing of the others. Names are cut into tokens where capitals or digits begin and
at all other characters; a term without quotes finds a name that has its tokens one after the other, a quoted
one only the same name. A term is looked for in namespace, name of the metric, names and values of dimensions.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from watchkeeper.core.errors import InvalidInputError

LONGEST = 1024
"""Characters of an expression, as CloudWatch allows."""
_WHOLE = re.compile(
    r"""\s*SEARCH\s*\(\s*'(?P<query>.*?)'
    (?:\s*,\s*'(?P<stat>[^']*)'(?:\s*,\s*(?P<period>\d+))?)?\s*\)\s*""",
    re.DOTALL | re.VERBOSE,
)
_SCHEMA = re.compile(r"""\s*\{(?P<names>(?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}\s*,?""")
_NAME = re.compile(r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^",{}]+?))\s*(?:,|$)""")
_SYMBOL = re.compile(r"""\s*(?:(?P<sign>[()=])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()="{}]+))""")
_WORD = re.compile(r"[A-Za-z0-9]+")
_TOKEN = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_OPERATORS = ("AND", "OR", "NOT")
_ACCOUNT = ":aws.AccountId"


@dataclass(frozen=True)
class FoundMetric:
    """A metric that may be meant."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]

    def texts(self, of: str | None) -> Iterable[str]:
        """Give what a term is looked for in: all, or the property that was named."""
        if of is None:
            return (self.namespace, self.metric, *self.dimensions, *self.dimensions.values())
        if of == "MetricName":
            return (self.metric,)
        if of == "Namespace":
            return (self.namespace,)
        return (self.dimensions[of],) if of in self.dimensions else ()


Condition = Callable[[FoundMetric], bool]


@dataclass(frozen=True)
class MetricSearch:
    """A search that was understood.

    Parameters
    ----------
    namespace, dimensions
        Of its schema: it finds metrics with just these dimensions.
    metric
        The one name that the metrics found have; None where they may have several.
    condition
        Whether a metric of the namespace is found.
    stat, period
        Of an expression that was written whole; None where they were left out.
    """

    namespace: str
    dimensions: tuple[str, ...]
    metric: str | None
    condition: Condition
    stat: str | None = None
    period: int | None = None

    def finds(self, found: FoundMetric) -> bool:
        """Tell whether a metric is one that is looked for."""
        return (
            found.namespace == self.namespace
            and found.dimensions.keys() == set(self.dimensions)
            and self.condition(found)
        )


def search_by_name(namespace: str, dimensions: Iterable[str], metric: str) -> MetricSearch:
    """Return the search for the metrics of a name with these dimensions."""
    return MetricSearch(namespace, tuple(dimensions), metric, lambda found: found.metric == metric)


def search_of(text: str) -> MetricSearch:
    """Understand an expression: the whole SEARCH('…', 'Average'), or what stands in its first quotes.

    Raises
    ------
    InvalidInputError
        If it is none, names no schema, or asks for metrics of other accounts.

    Examples
    --------
    >>> search = search_of('{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT i-12')
    >>> search.finds(FoundMetric("AWS/EC2", "CPUUtilization", {"InstanceId": "i-34"}))
    True
    >>> search.finds(FoundMetric("AWS/EC2", "CPUUtilization", {"InstanceId": "i-12"}))
    False
    """
    if len(text) > LONGEST:
        raise InvalidInputError(f"is longer than the {LONGEST:,} characters that CloudWatch takes")
    whole = _WHOLE.fullmatch(text)
    query = whole["query"] if whole else text
    schema = _SCHEMA.match(query)
    if schema is None:
        raise InvalidInputError(
            "must begin with the namespace and dimensions of its metrics, such as "
            '{AWS/EC2,InstanceId} MetricName="CPUUtilization"'
        )
    names = list(_names(schema["names"]))
    reading = _Reading(query[schema.end() :])
    condition, period = reading.whole(), whole["period"] if whole else None
    return MetricSearch(
        names[0],
        tuple(names[1:]),
        reading.metric,
        condition,
        whole["stat"] if whole else None,
        int(period) if period else None,
    )


def _names(text: str) -> Iterator[str]:
    at = 0
    while at < len(text) or at == 0:
        found = _NAME.match(text, at)
        if found is None or found.end() == at:
            raise InvalidInputError(f"has the schema {{{text}}}: write {{namespace,dimension,dimension}}")
        yield _unescaped(found["quoted"]) if found["quoted"] is not None else found["plain"].strip()
        at = found.end()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


@dataclass(frozen=True)
class _Symbol:
    text: str
    kind: str
    """sign, quoted or word."""

    def is_sign(self, *texts: str) -> bool:
        return self.kind == "sign" and self.text in texts

    def is_operator(self, *texts: str) -> bool:
        return self.kind == "word" and self.text in texts


class _Reading:
    """Reads terms, AND before OR, from the left.

    Attributes
    ----------
    metric
        Name that each metric found has, because a term that is joined to the others by AND says so.
    """

    def __init__(self, text: str) -> None:
        self._left = list(_symbols(text))
        self._inside = 0
        self.metric: str | None = None

    def whole(self) -> Condition:
        if not self._left:
            return lambda found: True
        condition = self._either()
        if self._left:
            raise InvalidInputError(f"has a {self._left[0].text} too many")
        return condition

    def _either(self) -> Condition:
        parts = [self._all()]
        while self._left and self._left[0].is_operator("OR"):
            self._left.pop(0)
            parts.append(self._all())
            if not self._inside:
                self.metric = None
        return lambda found: any(part(found) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._left and not self._left[0].is_operator("OR") and not self._left[0].is_sign(")"):
            if self._left[0].is_operator("AND"):
                self._left.pop(0)
            parts.append(self._one())
        return lambda found: all(part(found) for part in parts)

    def _one(self) -> Condition:
        if not self._left:
            raise InvalidInputError("ends where a term must follow")
        symbol = self._left.pop(0)
        if symbol.is_operator("NOT"):
            self._inside += 1
            refused = self._one()
            self._inside -= 1
            return lambda found: not refused(found)
        if symbol.is_sign("("):
            self._inside += 1
            inner = self._either()
            self._inside -= 1
            if not self._left or not self._left.pop(0).is_sign(")"):
                raise InvalidInputError("has a ( that is not closed")
            return inner
        if symbol.is_sign(")", "=") or symbol.is_operator(*_OPERATORS):
            raise InvalidInputError(f"has {symbol.text} where a term must stand")
        if self._left and self._left[0].is_sign("="):
            self._left.pop(0)
            return self._term(symbol.text)
        return _finding(symbol, None)

    def _term(self, of: str) -> Condition:
        if of == _ACCOUNT:
            raise InvalidInputError("asks for metrics of another account: leave :aws.AccountId out")
        if not self._left or self._left[0].kind == "sign":
            raise InvalidInputError(f"has no value behind {of}=")
        value = self._left.pop(0)
        if of == "MetricName" and value.kind == "quoted" and not self._inside:
            self.metric = value.text
        return _finding(value, of)


def _symbols(text: str) -> Iterator[_Symbol]:
    at = 0
    while text[at:].strip():
        found = _SYMBOL.match(text, at)
        if found is None:
            raise InvalidInputError(
                f"cannot be read from {text[at:].strip()[:40]!r} on: is a quote not closed?"
            )
        kind = found.lastgroup or "word"
        yield _Symbol(_unescaped(found[kind]) if kind == "quoted" else found[kind], kind)
        at = found.end()


def _finding(symbol: _Symbol, of: str | None) -> Condition:
    if symbol.kind == "quoted":
        return lambda found: symbol.text in found.texts(of)
    term = _Tokens(symbol.text)
    if not term.tokens:
        raise InvalidInputError(f"has the term {symbol.text}, in which nothing is to be looked for")
    return lambda found: any(term.are_in(_Tokens(text)) for text in found.texts(of))


class _Tokens:
    """The tokens of a name or a term.

    Examples
    --------
    >>> _Tokens("Project2-trial333").tokens
    ['Project', '2', 'trial', '333']
    """

    def __init__(self, text: str) -> None:
        words = [_TOKEN.findall(word) for word in _WORD.findall(text)]
        self.tokens = [token for word in words for token in word]
        self._alone = [len(word) == 1 for word in words for _ in word]
        self._whole = "".join(self.tokens).lower()

    def are_in(self, name: _Tokens) -> bool:
        """Tell whether they follow each other in a name: those of one word as they are written, one that is
        a word by itself in capitals or small letters, and all of them where they are the whole name."""
        count = len(self.tokens)
        return self._whole == name._whole or any(
            all(
                mine.lower() == its.lower() if alone else mine == its
                for mine, its, alone in zip(
                    self.tokens, name.tokens[at : at + count], self._alone, strict=True
                )
            )
            for at in range(len(name.tokens) - count + 1)
        )
