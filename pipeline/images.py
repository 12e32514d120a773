"""The SageMaker images that jobs and endpoints run in: which tag, which Python, which libraries.

One definition: image URIs and the target of the vendored packages derive from it, and tests hold the laptop's
stand-in (`localcloud/images/scikit_learn/`) and the pinned packages to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Image:
    """A pre-built image of AWS.

    Attributes
    ----------
    framework, version
        By which the SageMaker SDK knows the accounts that hold the repository in each region.
    tag
        The image's own tag.
    python
        Such as `3.12`: what compiled packages are built for.
    libraries
        Version by package that the image brings; nothing of it is vendored.
    """

    framework: str
    version: str
    tag: str
    python: str
    libraries: Mapping[str, str]

    def uri(self, region: str) -> str:
        """Return the image's address in a region."""
        return f"{known_uri(self.framework, region, self.version).rpartition(':')[0]}:{self.tag}"


@cache
def known_uri(framework: str, region: str, version: str | None = None) -> str:
    """Return the address of a pre-built image as the SageMaker SDK knows it, asked once: it is slow."""
    from sagemaker import image_uris  # takes seconds: who packs code does without

    uri: str = image_uris.retrieve(framework, region, version=version)
    return uri


SKLEARN = Image(
    framework="sklearn",
    # The pinned SDK knows the repository by this version; the build for Python 3.12 has a tag of its own.
    version="1.4-2",
    tag="1.4-2-py312-cpu-py3",
    python="3.12",
    libraries={"numpy": "2.1.0", "pandas": "2.3.2", "pyarrow": "17.0.0", "scikit-learn": "1.4.2"},
)
"""https://github.com/aws/deep-learning-containers, `docker/sklearn/1.4-2-py312` (2026-08)."""
