"""DynamoDB's expressions are read once a text.

Ministack reads a condition again for each item that it looks at, and a query looks at a whole partition: of a
thousand items that was four fifths of the time.
"""

import functools

from localcloud.part import Part
from localcloud.seams import dynamodb

_TEXTS = 4096
"""Programs use few: what differs from request to request is in the values beside them."""


class DynamoDbPart(Part):
    """Remembers what was read: both functions depend on the text alone, and nobody changes their answers."""

    def install(self) -> None:
        """Put a memory before them."""
        for each in (dynamodb.tokenize, dynamodb.condition_syntax_error):
            each.replace(functools.lru_cache(_TEXTS)(getattr(each.module, each.name)))
