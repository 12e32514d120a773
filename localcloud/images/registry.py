"""Finds the local stand-in of an image URI, and builds its Python environment at first use."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.settings import Settings

IMAGES_DIRECTORY = Path(__file__).parent
COMPLETE = ".complete"
_URI = re.compile(r"(?:[^/]+/)*(?P<repository>[a-z0-9._-]+)(?::(?P<tag>[\w.-]+))?(?:@sha256:[0-9a-f]{64})?")


class UnknownImageError(LookupError):
    """The laptop has no stand-in for an image."""


class ImageEnvironmentError(RuntimeError):
    """The Python environment of an image cannot be built."""


@dataclass(frozen=True)
class LocalImage:
    """A stand-in, ready to be started once its environment exists.

    Attributes
    ----------
    name : str
        Name of its folder.
    python : Path
        Interpreter of its environment.
    train, serve, run : list of str
        Command lines; empty where the image has no such program.
    directory : Path
        The folder with its programs.
    preload : list of str
        Modules of its libraries that are loaded ahead; see `localcloud.programs.templates`.
    """

    name: str
    python: Path
    train: list[str]
    serve: list[str]
    run: list[str]
    directory: Path
    preload: list[str] = field(default_factory=list)

    @property
    def is_built(self) -> bool:
        """Whether its environment exists."""
        return (self.environment / COMPLETE).exists()

    @property
    def environment(self) -> Path:
        """Directory of the virtual environment."""
        return self.python.parent.parent

    @property
    def requirements(self) -> Path:
        """The pinned packages of the environment."""
        return self.directory / str(_description(self.directory)["requirements"])

    @property
    def sources(self) -> Path | None:
        """The pinned source archives whose Python modules are taken as they are, or None."""
        name = _description(self.directory).get("sources")
        return None if name is None else self.directory / str(name)


def resolve(image_uri: str, image_home: Path | None = None) -> LocalImage:
    """Return the stand-in of an image.

    Parameters
    ----------
    image_uri
        ``ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG``.
    image_home
        Where the environments of images are kept; default: the settings' `image_home`.

    Raises
    ------
    UnknownImageError
        If the laptop has no such repository or tag.
    """
    match = _URI.fullmatch(image_uri)
    known: list[str] = []
    for directory in sorted(path.parent for path in IMAGES_DIRECTORY.glob("*/image.json")):
        description = _description(directory)
        known += [f"{name}:{tag}" for name in description["repositories"] for tag in description["tags"]]
        if match is None or match["repository"] not in description["repositories"]:
            continue
        if (match["tag"] or description["tags"][0]) in description["tags"]:
            return _local_image(directory, description, image_home or Settings.from_environment().image_home)
    raise UnknownImageError(f"the laptop has no image {image_uri!r}; it has {', '.join(known)}")


def all_images(image_home: Path | None = None) -> list[LocalImage]:
    """Return every image that is built ahead; those that are `on_demand` are built when a job asks first."""
    home = image_home or Settings.from_environment().image_home
    found = [
        (path.parent, _description(path.parent)) for path in sorted(IMAGES_DIRECTORY.glob("*/image.json"))
    ]
    return [
        _local_image(directory, description, home)
        for directory, description in found
        if not description.get("on_demand")
    ]


def image_named(name: str, image_home: Path) -> LocalImage:
    """Return the image in a folder of that name."""
    directory = IMAGES_DIRECTORY / name
    if not (directory / "image.json").is_file():
        known = ", ".join(sorted(path.parent.name for path in IMAGES_DIRECTORY.glob("*/image.json")))
        raise ImageEnvironmentError(f"there is no image {name!r}; there are {known}")
    return _local_image(directory, _description(directory), image_home)


def ensure_environment(image: LocalImage) -> None:
    """Build the environment of an image unless it exists.

    Raises
    ------
    ImageEnvironmentError
        If the virtual environment or its packages cannot be installed; the message ends with the installer's
        output.
    """
    marker = image.environment / COMPLETE
    if marker.exists():
        return
    platform = f"{sys.platform}-{os.uname().machine}"
    missing = _description(image.directory).get("missing", {}).get(platform)
    if missing is not None:
        raise ImageEnvironmentError(f"image {image.name!r} cannot be built on {platform}: {missing}")
    image.environment.parent.mkdir(parents=True, exist_ok=True)
    with _lock(image.environment.with_suffix(".lock")):
        if marker.exists():
            return
        shutil.rmtree(image.environment, ignore_errors=True)
        for command in _build_commands(image):
            _run(image, command)
        if image.sources is not None:
            _add_sources(image, image.sources)
        _correct(image)
        marker.touch()


def _local_image(directory: Path, description: dict[str, Any], image_home: Path) -> LocalImage:
    names = (description[key] for key in ("requirements", "sources") if key in description)
    requirements = b"".join((directory / str(name)).read_bytes() for name in names)
    corrections = {key: description[key] for key in ("modules", "replacements") if key in description}
    platform = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    made_of = requirements + (json.dumps(corrections).encode() if corrections else b"") + platform.encode()
    digest = hashlib.sha256(made_of).hexdigest()[:12]
    python = image_home / f"{description['name']}-{digest}" / "bin" / "python"

    def command(argv: list[str]) -> list[str]:
        return [part.format(python=python, image_dir=directory) for part in argv]

    return LocalImage(
        name=str(description["name"]),
        python=python,
        train=command(description.get("train", [])),
        serve=command(description.get("serve", [])),
        run=command(description.get("run", [])),
        directory=directory,
        preload=description.get("preload", []),
    )


def _description(directory: Path) -> dict[str, Any]:
    description: dict[str, Any] = json.loads((directory / "image.json").read_text())
    return description


def _build_commands(image: LocalImage) -> list[list[str]]:
    python, environment, requirements = str(image.python), str(image.environment), str(image.requirements)
    if importlib.util.find_spec("uv") is not None:
        uv = [sys.executable, "-m", "uv"]
        return [
            [*uv, "venv", "--quiet", "--python", sys.executable, environment],
            [*uv, "pip", "install", "--quiet", "--python", python, "-r", requirements],
        ]
    return [
        [sys.executable, "-m", "venv", environment],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
    ]


def _add_sources(image: LocalImage, sources: Path) -> None:
    """Put the Python modules under `src/` of source archives in the environment, and compile nothing."""
    with tempfile.TemporaryDirectory(prefix="sources-") as downloads:
        download = [str(image.python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        only_sources = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
        _run(image, [*download, *only_sources, "--dest", downloads, "-r", str(sources)])
        packages = _packages(image)
        for path in sorted(Path(downloads).iterdir()):
            shutil.unpack_archive(path, downloads)
            root = path.name.removesuffix(".tar.gz")
            shutil.copytree(Path(downloads, root, "src"), packages, dirs_exist_ok=True)


def _correct(image: LocalImage) -> None:
    """Write the modules, and replace the texts, that `image.json` names."""
    description, packages = _description(image.directory), _packages(image)
    for name, content in description.get("modules", {}).items():
        _write(packages / name, content)
    for name, replacements in description.get("replacements", {}).items():
        text = (packages / name).read_text()
        for old, new in replacements.items():
            if old not in text:
                raise ImageEnvironmentError(f"image {image.name!r}: {name} has no {old!r} to be replaced")
            text = text.replace(old, new)
        _write(packages / name, text)


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # the installer may have linked it to its cache
    path.write_text(text)


def _packages(image: LocalImage) -> Path:
    (packages,) = image.environment.glob("lib/python*/site-packages")
    return packages


def _run(image: LocalImage, command: list[str]) -> None:
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        raise ImageEnvironmentError(
            f"the environment of image {image.name!r} cannot be built: {' '.join(command)} ended "
            f"with {result.returncode}:\n{result.stdout[-2000:]}"
        )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
