"""The built wheel in environments that have nothing else: the oldest and the newest Python that are here.

The oldest gets the oldest direct dependencies that the wheel allows, the newest gets the project's pins.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from watchkeeper.detectors.native.compiling import TARGETS, library_in

ROOT = Path(__file__).resolve().parents[3]
SUPPORTED = (11, 12, 13)
SPIKE = 1000
IMPORT_ALL = """
import importlib, json, pkgutil, watchkeeper
failures = {}
for module in pkgutil.walk_packages(watchkeeper.__path__, "watchkeeper."):
    try:
        importlib.import_module(module.name)
    except Exception as error:
        failures[module.name] = f"{type(error).__name__}: {error}"
print(json.dumps(failures))
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel and its dependencies."""

    folder: Path
    elsewhere: Path
    """An empty folder, in which commands run."""

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.folder / "bin" / program, *arguments]
        # wide, so that no message is wrapped
        environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "HOME": str(self.elsewhere)}
        return subprocess.run(command, cwd=self.elsewhere, env=environment, capture_output=True, text=True)

    def python(self, code: str) -> str:
        done = self.run("python", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout


def interpreters() -> list[Path]:
    """Return the oldest and the newest supported Python of this machine: the tests' own is one at least."""
    found = {sys.version_info.minor: Path(sys.executable)}
    for minor in SUPPORTED:
        places = [
            shutil.which(f"python3.{minor}"),
            *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3"),
        ]
        for place in filter(None, places):
            answer = subprocess.run(
                [place, "-c", "import sys, ensurepip; print(sys.version_info.minor)"], capture_output=True
            )
            if answer.stdout.decode().strip() == str(minor):
                found.setdefault(minor, Path(place))
    return [found[minor] for minor in sorted({min(found), max(found)})]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from the sources alone: what an earlier build left in the checkout is not packed."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "model_code", source / "model_code", ignore=ignored)
    for name in ("cli", "infra", "lambdas", "localcloud", "pipeline"):  # what it must leave out
        (source / name).mkdir()
        (source / name / "__init__.py").touch()
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", target, source], check=True)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=interpreters(), ids=lambda place: place.parts[-3])
def environment(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    folder, elsewhere = tmp_path_factory.mktemp("environment") / "venv", tmp_path_factory.mktemp("elsewhere")
    oldest = request.param_index == 0
    versions = (
        ["--resolution", "lowest-direct"] if oldest else ["--constraint", str(ROOT / "requirements.txt")]
    )
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", request.param, folder], check=True)
    subprocess.run(
        [*uv, "pip", "install", "--python", folder / "bin" / "python", *versions, wheel], check=True
    )
    return Environment(folder, elsewhere)


def test_the_wheel_has_every_module_of_the_library_and_nothing_else(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = ROOT / "model_code"
    modules = {path.relative_to(sources).as_posix() for path in (sources / "watchkeeper").rglob("*.py")}
    kernel = sources / "watchkeeper" / "detectors" / "native"
    source = {path.relative_to(sources).as_posix() for path in kernel.glob("*.[ch]")}
    compiled = {library_in(kernel / "compiled", target).relative_to(sources).as_posix() for target in TARGETS}
    assert packed == modules | source | compiled | {"watchkeeper/py.typed"}


def test_every_module_is_there_or_says_which_package_it_needs(environment: Environment) -> None:
    failures = json.loads(environment.python(IMPORT_ALL))
    needs = failures.pop("watchkeeper.detectors.estimators")
    assert "pip install scikit-learn" in needs
    assert failures == {}


def test_the_library_brings_no_cloud_and_no_compiler(environment: Environment) -> None:
    heavy = (
        "boto3",
        "botocore",
        "aws_cdk",
        "sagemaker",
        "numba",
        "pandas",
        "matplotlib",
        "pyarrow",
        "sklearn",
    )
    code = f"import importlib.util as u, json; print(json.dumps([n for n in {heavy} if u.find_spec(n)]))"
    assert json.loads(environment.python(code)) == []


def test_validate_finds_a_workload_valid(environment: Environment) -> None:
    done = environment.run("watchkeeper", "validate", str(ROOT / "workloads" / "water_flow.yaml"))
    assert (done.returncode, "workload water_flow is valid" in done.stdout) == (0, True), done.stderr


def test_validate_refuses_an_unknown_key_with_its_line(environment: Environment) -> None:
    text = (ROOT / "workloads" / "water_flow.yaml").read_text()
    (environment.elsewhere / "water_flow.yaml").write_text(text + "intervall: 1h\n")
    done = environment.run("watchkeeper", "validate", "water_flow.yaml")
    assert done.returncode == 2
    assert f"water_flow.yaml:{len(text.splitlines()) + 1}" in done.stderr
    assert "intervall" in done.stderr


def score(environment: Environment, *options: str) -> subprocess.CompletedProcess[str]:
    """Score a sine with one spike."""
    rows = [f"2026-03-01T{hour:02}:{minute:02}:00Z" for hour in range(20) for minute in range(60)]
    values = [f"{math.sin(row / 50):.4f}" for row in range(len(rows))]
    values[SPIKE] = "9"
    table = "time,value\n" + "".join(f"{time},{value}\n" for time, value in zip(rows, values, strict=True))
    (environment.elsewhere / "sine.csv").write_text(table)
    columns = ["--timestamp", "time", "--value", "value", "--output", "scored.csv"]
    return environment.run("watchkeeper", "score", "sine.csv", *columns, *options)


def test_score_finds_the_spike_of_a_file(environment: Environment) -> None:
    done = score(environment)
    assert done.returncode == 0, done.stderr
    with (environment.elsewhere / "scored.csv").open(newline="") as file:
        scores = [float(row["anomaly_score"] or 0) for row in csv.DictReader(file)]
    assert max(range(len(scores)), key=scores.__getitem__) == SPIKE


@pytest.mark.parametrize(
    ("options", "package"), [(["--plot", "sine.png"], "matplotlib"), (["--algorithm", "knn"], "scikit-learn")]
)
def test_score_names_the_package_that_it_misses(
    environment: Environment, options: list[str], package: str
) -> None:
    done = score(environment, *options)
    assert (done.returncode, f"pip install {package}" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("verb", ["train", "deploy"])
def test_a_verb_of_the_checkout_says_that_it_needs_one(environment: Environment, verb: str) -> None:
    done = environment.run("watchkeeper", verb, "water_flow")
    assert done.returncode == 2
    assert f"`watchkeeper {verb}` needs a checkout of the project" in done.stderr
