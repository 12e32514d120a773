"""Folders of intervals in a bucket: the date parts of their path, as other services have written them.

`gases/{{yyyyMMdd}}/{{HHmm}}/` is a folder for each interval, named by its beginning. The letters between the
braces are those of Java: yyyy, yy, MM, dd, HH, mm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.errors import InvalidInputError

_FIELD = re.compile(r"\{\{(.*?)\}\}")
_PARTS = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M"}
_PART = re.compile("|".join(_PARTS))
_DIGITS = {"yyyy": r"\d{4}"}
_ASIDE = ("_", ".")
"""How the names of files begin that say that others are there, such as `_SUCCESS`."""


@dataclass(frozen=True)
class FolderPath:
    """Where in a bucket the folders are.

    Parameters
    ----------
    template
        Key prefix with date parts.

    Raises
    ------
    InvalidInputError
        If a part between braces is no date, or braces are not closed.

    Examples
    --------
    >>> path = FolderPath("gases/{{yyyyMMdd}}/{{HHmm}}/")
    >>> path.prefix, path.at(datetime(2026, 3, 1, 6, 5))
    ('gases/', 'gases/20260301/0605/')
    >>> path.holds("gases/20260301/0605/a.csv"), path.holds("gases/20260301/readme.txt")
    (True, False)
    """

    template: str

    def __post_init__(self) -> None:
        for inside in _FIELD.findall(self.template):
            if not inside or _PART.sub("", re.sub(r"[-_:.T]", "", inside)):
                raise InvalidInputError(
                    f"{{{{{inside}}}}} is no date: letters between the braces are {', '.join(_PARTS)}, such "
                    "as {{yyyyMMdd}}/{{HHmm}}/"
                )
        if re.search(r"[{}]", _FIELD.sub("", self.template)):
            raise InvalidInputError("date parts stand between {{ and }}, such as {{yyyyMMdd}}/{{HHmm}}/")

    @property
    def prefix(self) -> str:
        """What the keys of all folders begin with."""
        return self.template.partition("{{")[0]

    @property
    def parts(self) -> frozenset[str]:
        """The date parts that it has, such as `mm`."""
        return frozenset(part for inside in _FIELD.findall(self.template) for part in _PART.findall(inside))

    def at(self, moment: datetime) -> str:
        """Return the folder of an interval that begins then, in the zone of the folders' names."""

        def written(field: re.Match[str]) -> str:
            return _PART.sub(lambda part: moment.strftime(_PARTS[part[0]]), field[1])

        return _FIELD.sub(written, self.template)

    def holds(self, key: str) -> bool:
        """Tell whether an object is a file in one of the folders."""
        name = key.rpartition("/")[2]
        return bool(name) and not name.startswith(_ASIDE) and self._pattern().match(key) is not None

    def _pattern(self) -> re.Pattern[str]:
        text, last = "", 0
        for field in _FIELD.finditer(self.template):
            text += re.escape(self.template[last : field.start()])
            text += _PART.sub(lambda part: _DIGITS.get(part[0], r"\d{2}"), field[1].replace(".", r"\."))
            last = field.end()
        return re.compile(text + re.escape(self.template[last:]))
