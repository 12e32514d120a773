"""Data for the demo: public files, found in a folder or in the cache or downloaded at a pinned version, and
files that are made here by a rule."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from cli.failures import StepFailedError
from cli.stock_volumes import LABELS_KEY, news_json, volumes_csv
from watchkeeper.command.screen import say
from watchkeeper.core.errors import InvalidInputError

FOLDER_VARIABLE = "WATCHKEEPER_DATA_DIR"
CACHE = Path.home() / ".cache" / "watchkeeper" / "datasets"
TIMEOUT_SECONDS = 60

_NAB = "https://raw.githubusercontent.com/numenta/NAB/ea702d7"
_AIR = "https://raw.githubusercontent.com/aws-samples/build-an-air-quality-anomaly-detector/5a873cf"


@dataclass(frozen=True)
class DataFile:
    """One file of public data."""

    path: str
    """Relative to the data folder."""
    url: str
    sha256: str


@dataclass(frozen=True)
class PackagedFile:
    """One file that an installed package carries."""

    package: str
    path: str
    sha256: str


@dataclass(frozen=True)
class GeneratedFile:
    """One file that is made by a rule: the same bytes on every machine."""

    path: str
    """Relative to the cache."""
    generate: Callable[[], bytes]
    sha256: str


@dataclass(frozen=True)
class KeptFile:
    """One file of public data that nobody offers as it is: it is kept in the data folder."""

    path: str
    """Relative to the data folder."""
    home: str
    """Where it comes from."""
    sha256: str


Source = DataFile | PackagedFile | GeneratedFile


@dataclass(frozen=True)
class Dataset:
    """What a workload's demo trains on and what it then receives."""

    history: Source
    live: DataFile | None = None
    """Telemetry that arrives after training; without one, the history's readings from `live_from`."""
    live_header: str | None = None
    """The header of a `live` CSV file that has none."""
    live_from: str | None = None
    """ISO 8601: readings from here are not trained on but published."""
    labels: DataFile | GeneratedFile | None = None
    """Labelled windows by series, as in NAB's file."""
    labels_key: str | None = None


ABALONE = DataFile(
    "abalone/abalone.data",
    "https://archive.ics.uci.edu/ml/machine-learning-databases/abalone/abalone.data",
    "de37cdcdcaaa50c309d514f248f7c2302a5f1f88c168905eba23fe2fbc78449f",
)
"""Physical measurements of 4,177 abalones (UCI; CC BY 4.0): CSV without a header line."""

AIR_QUALITY = Dataset(
    history=DataFile(
        "air-quality/history/historic_data.csv",
        f"{_AIR}/data/history/historic_data.csv",
        "265a915578fb99fa5c781b42f73652114da4cf25c4060a636e1a4d6ddcb15e52",
    ),
    live=DataFile(
        "air-quality/live/live_data_sample.csv",
        f"{_AIR}/data/live/live_data_sample.csv",
        "e152cd0254bc80a3e02b303839d0f294b2babd1af847c5240b7946a8a370f559",
    ),
    live_header="TIMESTAMP,LOCATION_ID,CO,SO2,NO2",
)
"""Three gases of measuring stations, every 5 minutes."""

DATASETS = {
    "abalone": Dataset(history=ABALONE),
    "water_flow": Dataset(
        history=PackagedFile(
            "river",
            "datasets/water-flow.csv",
            "6c84efeb8b148dd2ace656f11f5bd90de22dad014b094e3baafd8dbca69c83dc",
        ),
        live_from="2022-04-20T00:00:00Z",
    ),
    "machine_temperature": Dataset(
        history=DataFile(
            "nab/data/realKnownCause/machine_temperature_system_failure.csv",
            f"{_NAB}/data/realKnownCause/machine_temperature_system_failure.csv",
            "92bf5b87fc7f9bba8ca0b7ec63ccaac8cb4a1371a258e8c29a10ae9c018d82a4",
        ),
        live_from="2014-02-05T00:00:00Z",
        labels=DataFile(
            "nab/labels/combined_windows.json",
            f"{_NAB}/labels/combined_windows.json",
            "1e1fbc4601321aad8d0f8b3784c8134299379f68f6c1f7777565f8ffd57ab6b1",
        ),
        labels_key="realKnownCause/machine_temperature_system_failure.csv",
    ),
    "air_quality": AIR_QUALITY,
    "plant_air": AIR_QUALITY,
    "stock_volume": Dataset(
        history=GeneratedFile(
            "stock-volume/volumes.csv",
            volumes_csv,
            "3a76f81c7d7e81508a74ac57b8bf885f0003fe0d60fca317273474337d974169",
        ),
        live_from="2023-01-01T00:00:00Z",
        labels=GeneratedFile(
            "stock-volume/news.json",
            news_json,
            "727ed9e24f773617bb2f4aaf261e391aec491aeb80da91dfca187f907edd8287",
        ),
        labels_key=LABELS_KEY,
    ),
}


def dataset_of(workload: str) -> Dataset:
    """Return the demo's data for a workload.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    if workload not in DATASETS:
        raise InvalidInputError(
            f"the demo has no data for {workload!r}; it has some for {', '.join(DATASETS)}"
        )
    return DATASETS[workload]


def located(file: Source | KeptFile, cache: Path = CACHE) -> Path:
    """Return where a file is on this machine; make or download it if it is nowhere.

    Raises
    ------
    StepFailedError
        If it cannot be had, or its content is not the pinned one.
    """
    if isinstance(file, PackagedFile):
        return _checked(_in_package(file), file.sha256)
    if isinstance(file, GeneratedFile):
        made = cache / file.path
        _write(made, file.generate())
        return _checked(made, file.sha256)
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and Path(folder, file.path).is_file():
        return _checked(Path(folder, file.path), file.sha256)
    if isinstance(file, KeptFile):
        raise StepFailedError(f"{file.path} is not in ${FOLDER_VARIABLE}; it comes from {file.home}")
    cached = cache / file.path
    if not cached.is_file():
        _download(file, cached)
    return _checked(cached, file.sha256)


def _in_package(file: PackagedFile) -> Path:
    spec = importlib.util.find_spec(file.package)
    if spec is None or not spec.submodule_search_locations:
        raise StepFailedError(f"package {file.package} is not installed: run `make setup`")
    return Path(spec.submodule_search_locations[0], file.path)


def _download(file: DataFile, target: Path) -> None:
    say(f"downloading {file.url} to {target}, once")
    try:
        with urlopen(file.url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # a constant https URL
            content = answer.read()
    except OSError as error:
        raise StepFailedError(
            f"{file.url} cannot be downloaded: {error}; put the file at ${FOLDER_VARIABLE}/{file.path}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise StepFailedError(f"{file.url}: SHA-256 is {found}, expected {file.sha256}")
    _write(target, content)


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(target)


def _checked(path: Path, sha256: str) -> Path:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StepFailedError(f"{path}: {error.strerror}") from error
    if found != sha256:
        raise StepFailedError(
            f"{path}: SHA-256 is {found}, expected {sha256}: it is another version of the file"
        )
    return path
