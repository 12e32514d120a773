"""Spark's environment: that of the laptop's Glue."""

from __future__ import annotations

from localcloud.images.registry import ensure_environment, image_named
from localcloud.settings import Settings


def spark_python() -> str:
    """Return its interpreter, built if it is not there."""
    image = image_named("glue", Settings.from_environment().image_home)
    ensure_environment(image)
    return str(image.python)
