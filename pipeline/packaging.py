"""How code reaches the jobs, the endpoints and the Lambda functions: what is packed, and how it is started.

`sourcedir.tar.gz` holds the packages `watchkeeper`, with the detector's compiled kernel, and `containers`,
the entry files of script mode, and `vendor/` with the wheels of `model_code/containers/requirements.txt`: a
job installs nothing at its start and runs with network isolation. `analysis-sourcedir.tar.gz` has the wheels
of `requirements-analysis.txt` too: what only the analysis jobs need, for the report's PDF. The `.zip` of the
Lambda functions holds `lambdas`, `watchkeeper` and pure-Python packages. The anomaly service's API and the
scoring loop have one of their own, since they need pydantic and numpy, which are compiled (docs/adr/0006,
docs/adr/0027). All are the same bytes for the same sources, and are built again only when a source has
changed; packages of others are compressed once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from pipeline.archives import FAST, SMALL, add_to_zip, write_archive, write_beginning, write_wheel
from pipeline.vendoring import GLUE, HERE, LAMBDA, SAGEMAKER, Target, vendor
from watchkeeper.core.errors import UnavailableError
from watchkeeper.detectors.native.compiling import SOURCES as KERNEL_SOURCES
from watchkeeper.detectors.native.compiling import compile_kernel, this_platform
from watchkeeper.detectors.native.library import BUILT, PACKED

CODE_ARCHIVE = "sourcedir.tar.gz"
ANALYSIS_ARCHIVE = "analysis-sourcedir.tar.gz"
FRAUD_ARCHIVE = "fraud-sourcedir.tar.gz"
PREPROCESSOR, DETECTOR, REGRESSOR = "preprocessor", "detector", "regressor"
FRAUD_CLASSIFIER = "fraud"
SERVICE_SEARCH, SERVICE_DETECTOR = "service_search", "service_detector"
REGISTERED_DETECTOR = "registered_detector"
"""What script mode trains and serves, by the entry files `train_NAME.py` and `serve_NAME.py`."""

SPARK_PACKAGE = "watchkeeper_spark"
_SCRIPTS = Path(__file__).resolve().parent.parent / "model_code" / "spark"
SPARK_SCRIPT = _SCRIPTS / "glue_script.py"
PROCESSING_SCRIPT = _SCRIPTS / "processing_script.py"

ROOT = "/opt/ml"
CODE_CHANNEL = "code"
"""Training input channel with the archive: the toolkit may not download it under network isolation."""

PROCESSING_INPUT = f"{ROOT}/processing/input"
"""`plan/`, `history/`, `raw/`, `prepared/`, `candidate/`, `champion/` and `code/` are under it."""
PROCESSING_OUTPUT = f"{ROOT}/processing/output"
"""`prepared/` and `quarantine/` (prepare), `evaluation/` (evaluate) are under it."""

NOT_PACKED = frozenset({"command", "importing", "spec"})
"""Rooms of the shared package for a developer's machine: they need packages that nothing deployed has, but
the console's API those of `spec`."""

PROJECT = Path(__file__).resolve().parent.parent
MODEL_CODE = PROJECT / "model_code"
LAMBDAS = PROJECT / "lambdas"
HTTP = LAMBDAS / "http"
SERVICE_API = LAMBDAS / "service_api"
SCORING = LAMBDAS / "scoring"
HISTORY = LAMBDAS / "history"
FRAUD = LAMBDAS / "fraud"
LOADING = LAMBDAS / "loading"
CONSOLE = LAMBDAS / "console"
BACKTESTING = LAMBDAS / "backtesting"
SOURCES = LAMBDAS / "sources"
CONSOLE_READS = tuple(
    LAMBDAS / room
    for room in (
        *("alerting", "backtesting", "costs", "fleet", "http", "incidents", "live", "scoring", "watching"),
    )
)
"""Rooms whose rules the console's API has, too."""
COSTS = LAMBDAS / "costs"
LIVE = LAMBDAS / "live"
SITE = LAMBDAS / "site"
SITE_FILES = "site"
"""In the bundle of `deploy_site`: the built site."""
_APIS = (HTTP, SERVICE_API, FRAUD, CONSOLE, COSTS, LIVE, SITE)
OF_THEIR_OWN = (*_APIS, SCORING, HISTORY, LOADING, BACKTESTING, SOURCES)
"""Rooms that are in no bundle of all functions."""
TRANSFORM_SECONDS = 600
"""Time for one request of a batch transform; the server's own limit of 60 is for an endpoint's requests."""
VENDOR = "vendor"
TARGET_FILE = "target.json"
"""In the archive's `vendor/`: the Python version that its compiled modules are for."""

_TARGETS = {"sagemaker": SAGEMAKER, "lambda": LAMBDA, "glue": GLUE, "here": HERE}
_RULES = (Path(__file__), *map(Path(__file__).with_name, ("archives.py", "vendoring.py")))
"""What is packed depends on these too, so they are part of every cache key."""

_KEPT_BUILDS = 8
"""Of one name: for some targets, and for the code before the last changes."""


def processing_entrypoint(module: str) -> list[str]:
    """Return the container entrypoint of a processing job that runs `containers.MODULE`.

    The job's input `code` has the archive, under whatever name, at `/opt/ml/processing/input/code/`.
    """
    script = (
        'set -e; ml="${SAGEMAKER_BASE_DIR:-/opt/ml}"; mkdir -p "$ml/code"; '
        'tar -xzf "$ml"/processing/input/code/*.tar.gz -C "$ml/code"; '
        f'cd "$ml/code"; exec python3 -m containers.{module} "$@"'
    )
    return ["/bin/bash", "-c", script, module]


def script_mode_hyperparameters(what: str, archive_name: str = CODE_ARCHIVE) -> dict[str, str]:
    """Return the hyperparameters that make the SKLearn image run a training entry out of the channel `code`.

    Parameters
    ----------
    what
        `PREPROCESSOR`, `DETECTOR` or `REGRESSOR`.
    archive_name
        Last part of the archive's S3 key.
    """
    return {
        "sagemaker_program": f"train_{what}.py",
        "sagemaker_submit_directory": f"{ROOT}/input/data/{CODE_CHANNEL}/{archive_name}",
        "sagemaker_container_log_level": "20",
    }


def serving_environment(what: str, region: str, *, accept: str) -> dict[str, str]:
    """Return the environment of a script-mode container in a model.

    The model's own `code/` is on the import path, and the image may not ask a package index for a build
    backend: so it starts under network isolation.
    """
    return {
        "SAGEMAKER_PROGRAM": f"serve_{what}.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": f"{ROOT}/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": region,
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": str(TRANSFORM_SECONDS),
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": accept,
        "PYTHONPATH": f"{ROOT}/model/code",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
    }


def build_job_code(
    name: str, requirements: Sequence[str], target: Literal["sagemaker", "here"], build_dir: Path
) -> Path:
    """Return an archive of the jobs' code.

    Parameters
    ----------
    name
        Of the archive.
    requirements
        Files beside the containers, whose wheels are vendored beside those of `requirements.txt`.
    target
        `sagemaker`: Linux on x86-64 and the image's Python; `here`: this interpreter on this machine.
    build_dir
        Where it is built and kept.

    Raises
    ------
    UnavailableError
        If the vendored packages cannot be installed, or the kernel cannot be compiled.
    """
    containers = MODEL_CODE / "containers"
    levels = {"requirements.txt": SMALL, **dict.fromkeys(requirements, FAST)}
    vendored = {
        _vendored(containers / file, _TARGETS[target], build_dir, compiled=target == "here"): level
        for file, level in levels.items()
    }
    modules = {**_shared(), **_python("containers", containers), **_entries(containers / "entry")}
    sources = {
        **modules,
        **_kernel(_TARGETS[target]),
        f"{VENDOR}/{TARGET_FILE}": next(iter(vendored)) / TARGET_FILE,
    }
    if target == "here":
        sources |= _bytecode(modules, build_dir)
    kind = {ANALYSIS_ARCHIVE: "analysis-code", FRAUD_ARCHIVE: "fraud-code"}.get(name, "model-code")
    folder = build_dir / f"{kind}-{target}-{_digest(sources, ' '.join(found.name for found in vendored))}"
    if not folder.is_dir():
        packages = [_packed(found, partial(_write_wheels, level)) for found, level in vendored.items()]
        with _finished_as(folder) as scratch:
            write_archive(sources, scratch / name, packages)
    return folder / name


build_model_code = partial(build_job_code, CODE_ARCHIVE, ())
"""Returns the archive of the jobs and models."""
build_analysis_code = partial(build_job_code, ANALYSIS_ARCHIVE, ("requirements-analysis.txt",))
"""Returns the archive of the analysis jobs."""
build_fraud_code = partial(build_job_code, FRAUD_ARCHIVE, ("requirements-fraud.txt",))
"""Returns the archive that trains fraud models. Models, and what judges them, need none of it."""


def build_lambda_code(build_dir: Path) -> Path:
    """Return a `.zip` with the code of all Lambda functions that need nothing compiled.

    Nothing in it is compiled: it is the same for every Python version and processor. boto3 is the runtime's.

    Raises
    ------
    UnavailableError
        If the packages cannot be installed.
    """
    functions = _python("lambdas", LAMBDAS)
    own = tuple(f"lambdas/{room.name}/" for room in OF_THEIR_OWN)
    # what the others are told of scoring is its environment
    kept = {f"lambdas/{SCORING.name}/__init__.py", f"lambdas/{SCORING.name}/environment.py"}
    others = {name: file for name, file in functions.items() if name in kept or not name.startswith(own)}
    vendored = _vendored(LAMBDAS / "requirements.txt", HERE, build_dir, pure=True)
    return _lambda_archive("lambda-code", others, vendored, build_dir)


def build_site_code(site: Path, build_dir: Path) -> Path:
    """Return a `.zip` with the function that deploys the console's site, and the site.

    Parameters
    ----------
    site
        Folder of the built site.

    Raises
    ------
    UnavailableError
        If the packages cannot be installed.
    """
    files = {f"{SITE_FILES}/{name}": file for name, file in _files(site).items() if not name.startswith(".")}
    functions = {"lambdas/__init__.py": LAMBDAS / "__init__.py"}
    for room in (LAMBDAS / "adapters", LAMBDAS / "runtime", SITE):
        functions |= _python(f"lambdas/{room.name}", room)
    vendored = _vendored(LAMBDAS / "requirements.txt", HERE, build_dir, pure=True)
    return _lambda_archive("site-code", {**functions, **files}, vendored, build_dir)


def build_spark_code(target: Literal["glue", "here"], build_dir: Path) -> Path:
    """Return a wheel of what the Spark job runs: `spark`, the adapters of `lambdas`, and `watchkeeper`.

    A wheel, because Glue unpacks it, and a compiled kernel is not loaded from inside an archive; its name and
    version are in the file's name, as pip wants it. It needs nothing that Glue does not have.

    Parameters
    ----------
    target
        `glue`: Linux on x86-64; `here`: this machine.
    build_dir
        Where it is built and kept.

    Raises
    ------
    UnavailableError
        If the kernel cannot be compiled.
    """
    rooms = [_python(f"lambdas/{room}", LAMBDAS / room) for room in ("adapters", "runtime", "scoring")]
    sources = {"lambdas/__init__.py": LAMBDAS / "__init__.py"} | rooms[0] | rooms[1] | rooms[2]
    sources |= _python("spark", MODEL_CODE / "spark") | _shared()
    sources |= _kernel(_TARGETS[target])
    version = str(int(_digest(sources, SPARK_PACKAGE), 16))
    folder = build_dir / f"spark-code-{version}"
    wheel = f"{SPARK_PACKAGE}-{version}-py3-none-any.whl"
    if not folder.is_dir():
        with _finished_as(folder) as scratch:
            write_wheel(sources, scratch / wheel, SPARK_PACKAGE, version)
    return folder / wheel


def build_functions_code(
    name: str, room: Path, rooms: Sequence[Path], target: Literal["lambda", "here"], build_dir: Path
) -> Path:
    """Return a `.zip` with the functions of one room and their packages, compiled ones included.

    Parameters
    ----------
    rooms
        Further rooms of `lambdas` that it imports.
    target
        `lambda`: the Python and the processor of AWS's runtime; `here`: this interpreter on this machine.
    build_dir
        Where it is built and kept.

    Raises
    ------
    UnavailableError
        If the packages cannot be installed, or the scoring loop's kernel cannot be compiled.
    """
    vendored = _vendored(room / "requirements.txt", _TARGETS[target], build_dir)
    kernel = _kernel(_TARGETS[target]) if room in (SCORING, BACKTESTING) else {}
    functions = {"lambdas/__init__.py": LAMBDAS / "__init__.py", **kernel}
    for each in (LAMBDAS / "adapters", LAMBDAS / "runtime", room, *rooms):
        functions |= _python(f"lambdas/{each.name}", each)
    if room == CONSOLE:
        functions |= _python("watchkeeper/spec", MODEL_CODE / "watchkeeper" / "spec")
    return _lambda_archive(name, functions, vendored, build_dir)


build_service_code = partial(build_functions_code, "service-code", SERVICE_API, (HTTP, LIVE))
"""Returns the archive of the anomaly service's API, and of the functions of live events."""
build_fraud_api_code = partial(build_functions_code, "fraud-code", FRAUD, (HTTP,))
"""Returns the archive of the API of fraud workloads."""
build_console_code = partial(build_functions_code, "console-code", CONSOLE, CONSOLE_READS)
"""Returns the archive of the console's API."""
build_backtesting_code = partial(
    build_functions_code, "backtesting-code", BACKTESTING, (LAMBDAS / "alerting", HISTORY)
)
"""Returns the archive of the function of backtests."""
build_scoring_code = partial(build_functions_code, "scoring-code", SCORING, ())
"""Returns the archive of the scoring loop."""
build_history_code = partial(build_functions_code, "history-code", HISTORY, (SOURCES,))
"""Returns the archive of the functions that merge and read scores, and of those that fetch telemetry."""
build_loading_code = partial(build_functions_code, "loading-code", LOADING, (FRAUD,))
"""Returns the archive of the functions between graph store and training."""


def _lambda_archive(name: str, functions: dict[str, Path], vendored: Path, build_dir: Path) -> Path:
    sources = {**functions, **_shared()}
    folder = build_dir / f"{name}-{_digest(sources, vendored.name)}"
    file = f"{name}.zip"
    if not folder.is_dir():
        packages = _packed(vendored, partial(add_to_zip, level=FAST))
        with _finished_as(folder) as scratch:
            shutil.copyfile(packages, scratch / file)
            add_to_zip(sources, scratch / file)
    return folder / file


def _write_wheels(level: int, files: Mapping[str, Path], part: Path) -> None:
    own = {f"{VENDOR}/{name}": file for name, file in files.items() if name != TARGET_FILE}
    write_beginning(level, own, part)


def _packed(vendored: Path, write: Callable[[dict[str, Path], Path], None]) -> Path:
    """Return the packages as a file that archives of our code begin with: their like is compressed once."""
    folder = vendored.parent / f"packed-{vendored.name}"
    if not folder.is_dir():
        with _finished_as(folder) as scratch:
            write(_files(vendored), scratch / "packages")
    return folder / "packages"


def _vendored(
    requirements: Path, target: Target, build_dir: Path, *, pure: bool = False, compiled: bool = False
) -> Path:
    """Return a folder with installed packages; `compiled` ones have the bytecode that each job would make."""
    key = _digest({"requirements": requirements}, f"{target} {pure} {compiled}")
    folder = build_dir / f"vendor-{requirements.parent.name}-{key}"
    if not folder.is_dir():
        with _finished_as(folder) as scratch:
            vendor(requirements, target, scratch, pure=pure)
            if compiled:
                _compile(scratch)
            if not pure:
                (scratch / TARGET_FILE).write_text(json.dumps({"python": target.python}))
    return folder


def _bytecode(modules: Mapping[str, Path], build_dir: Path) -> dict[str, Path]:
    """Return the bytecode that each job would make of these modules."""
    folder = build_dir / f"bytecode-{_digest(modules, str(HERE))}"
    if not folder.is_dir():
        with _finished_as(folder) as scratch:
            for name, file in modules.items():
                copy = scratch / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
            _compile(scratch)
    return {name: file for name, file in _files(folder).items() if name.endswith(".pyc")}


def _compile(folder: Path) -> None:
    """Put bytecode beside modules, the same for the same sources; unpacked files have no dates to go by."""
    options = ("-q", "--invalidation-mode", "unchecked-hash", "-s", folder)
    fixed = {**os.environ, "PYTHONHASHSEED": "0"}  # sets in bytecode have their order by it
    subprocess.run([sys.executable, "-m", "compileall", *options, folder], env=fixed, check=True)


@contextmanager
def _finished_as(folder: Path) -> Iterator[Path]:
    """Give a scratch folder its name when it is finished: a build that breaks off leaves nothing behind.

    Of the builds of the same name the oldest go: each change of the code makes one.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".build-") as parent:
        scratch = Path(parent) / folder.name
        scratch.mkdir()
        yield scratch
        try:
            scratch.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process has finished the same build
                raise
    same = folder.parent.glob(f"{folder.name.rpartition('-')[0]}-*")
    for old in sorted(same, key=_made_at)[:-_KEPT_BUILDS]:
        shutil.rmtree(old, ignore_errors=True)


def _made_at(build: Path) -> float:
    try:
        return build.stat().st_ctime  # the time of modification is the one that makes archives equal
    except FileNotFoundError:  # another process has removed it
        return 0.0


def _python(name: str, folder: Path) -> dict[str, Path]:
    files = _files(folder).items()
    return {f"{name}/{path}": file for path, file in files if path.endswith((".py", ".html", ".json"))}


def _shared() -> dict[str, Path]:
    files = _python("watchkeeper", MODEL_CODE / "watchkeeper")
    return {name: file for name, file in files.items() if name.split("/")[1] not in NOT_PACKED}


def _kernel(target: Target) -> dict[str, Path]:
    """Return the detector's kernel: its sources, which say which library is theirs, and the library."""
    platform = f"linux-{target.linux}" if target.linux else this_platform()
    native, compiled = KERNEL_SOURCES.relative_to(MODEL_CODE), PACKED.relative_to(MODEL_CODE)
    sources = {
        f"{native}/{name}": file
        for name, file in _files(KERNEL_SOURCES).items()
        if name.endswith((".c", ".h"))
    }
    try:
        built = compile_kernel(platform, BUILT)
    except (ModuleNotFoundError, RuntimeError) as error:
        raise UnavailableError(
            f"the detector's kernel cannot be compiled: {error}; run `make setup`"
        ) from error
    return sources | {f"{compiled}/{built.relative_to(BUILT)}": built}


def _entries(folder: Path) -> dict[str, Path]:
    return {name: file for name, file in _files(folder).items() if name.startswith(("train_", "serve_"))}


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _digest(sources: Mapping[str, Path], more: str) -> str:
    digest = hashlib.sha256(more.encode())
    for name, file in [*((rule.name, rule) for rule in _RULES), *sorted(sources.items())]:
        digest.update(f"{name}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
