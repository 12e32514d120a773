"""Which container images a state machine names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

IMAGE_KEYS = ("Image", "ImageUri", "TrainingImage")


def images_of(definition: Mapping[str, Any]) -> list[str]:
    """Return the image URIs in a definition, sorted, each once."""
    return sorted(set(_images(definition)))


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in IMAGE_KEYS and isinstance(item, str):
                yield item
            else:
                yield from _images(item)
    elif isinstance(value, list):
        for item in value:
            yield from _images(item)
