"""What is packed is complete, the same bytes each time, and right for who loads it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email import parser
from importlib.util import cache_from_source
from pathlib import Path, PurePosixPath
from typing import Literal

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pipeline.images import SKLEARN
from pipeline.packaging import (
    ANALYSIS_ARCHIVE,
    CODE_ARCHIVE,
    LAMBDAS,
    MODEL_CODE,
    PROJECT,
    SCORING,
    SERVICE_API,
    build_analysis_code,
    build_backtesting_code,
    build_console_code,
    build_fraud_api_code,
    build_fraud_code,
    build_history_code,
    build_lambda_code,
    build_loading_code,
    build_model_code,
    build_scoring_code,
    build_service_code,
    build_site_code,
)
from pipeline.vendoring import SAGEMAKER, Target, vendor
from tests.unit.lambdas.test_environments import ENTRY_POINTS, entry_points
from watchkeeper.core.errors import UnavailableError
from watchkeeper.detectors.native.compiling import library_in

BUILD = PROJECT / "build"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    """Return the first version that a file pins of each package."""
    return {name.lower(): version for name, version in reversed(PIN.findall(path.read_text()))}


@pytest.fixture(scope="module")
def names() -> set[str]:
    with tarfile.open(build_model_code("sagemaker", BUILD)) as tar:
        return set(tar.getnames())


def test_archive_has_the_entry_files_the_packages_and_the_wheels(names: set[str]) -> None:
    assert {"train_preprocessor.py", "serve_detector.py", "containers/anomaly/prepare.py"} <= names
    assert {"watchkeeper/core/plan.py", "watchkeeper/charts/series.py"} <= names
    assert {"vendor/matplotlib/__init__.py", "vendor/target.json"} <= names


def test_archive_has_the_kernel_of_the_images_processor_and_what_says_that_it_is_of_these_sources(
    names: set[str],
) -> None:
    kernel = library_in(Path("watchkeeper/detectors/native/compiled"), "linux-x86_64")
    assert {str(kernel), "watchkeeper/detectors/native/step.c"} <= names
    assert len([name for name in names if "/native/compiled/" in name]) == 1


def test_archive_makes_no_job_install_anything(names: set[str]) -> None:
    assert not names & {"setup.py", "requirements.txt", "pyproject.toml"}


def test_archive_for_sagemaker_has_linux_modules_of_the_images_python(names: set[str]) -> None:
    compiled = [name for name in names if name.endswith(".so") and "cpython" in name]
    assert compiled
    assert all("cpython-312-x86_64-linux-gnu" in name for name in compiled)


def test_archive_leaves_the_images_own_libraries_out(names: set[str]) -> None:
    packages = {name.split("/")[1] for name in names if name.startswith("vendor/")}
    assert not packages & {"scipy", "sklearn", *SKLEARN.libraries}


@pytest.mark.parametrize("build", [build_model_code, build_analysis_code, build_fraud_code])
def test_vendored_packages_suit_the_python_and_the_libraries_of_the_image(
    build: Callable[[Literal["sagemaker"], Path], Path],
) -> None:
    with tarfile.open(build("sagemaker", BUILD)) as tar:
        written = [
            parser.Parser().parsestr(content.read().decode())
            for member in tar.getmembers()
            if member.name.endswith(".dist-info/METADATA") and (content := tar.extractfile(member))
        ]
    there = {canonicalize_name(str(about["Name"])): str(about["Version"]) for about in written}
    there |= {canonicalize_name(name): version for name, version in SKLEARN.libraries.items()}
    environment = {**default_environment(), "python_version": SKLEARN.python, "extra": ""}
    assert len(written) > 5
    for about in written:
        python = SpecifierSet(about.get("Requires-Python", ""))
        assert f"{SKLEARN.python}.0" in python, f"{about['Name']} {about['Version']}: Python {python}"
        for need in map(Requirement, about.get_all("Requires-Dist", [])):
            version = there.get(canonicalize_name(need.name))
            if version is not None and (need.marker is None or need.marker.evaluate(environment)):
                assert version in need.specifier, f"{about['Name']} needs {need}, the image has {version}"


def test_only_the_archive_of_fraud_models_has_what_trains_them(names: set[str]) -> None:
    heavy = {"vendor/jax/__init__.py", "vendor/optax/__init__.py", "vendor/lightgbm/__init__.py"}
    with tarfile.open(build_fraud_code("sagemaker", BUILD)) as archive:
        fraud = set(archive.getnames())

    assert heavy <= fraud
    assert not heavy & names
    assert names <= fraud
    assert "train_fraud.py" in fraud
    assert not [name for name in fraud if name.startswith(("vendor/scipy/", "vendor/numpy/"))]


def test_laptop_stands_in_for_the_image_that_the_workflow_names() -> None:
    folder = PROJECT / "localcloud" / "images" / "scikit_learn"
    assert SKLEARN.uri("eu-west-1").endswith(f".amazonaws.com/sagemaker-scikit-learn:{SKLEARN.tag}")
    assert json.loads((folder / "image.json").read_text())["tags"][0] == SKLEARN.tag
    assert SKLEARN.libraries.items() <= pins(folder / "requirements.in").items()


def test_only_the_analysis_archive_has_the_analysis_packages(names: set[str]) -> None:
    heavy = {"vendor/fpdf/__init__.py", "vendor/fontTools/__init__.py"}
    archive = build_analysis_code("sagemaker", BUILD)
    with tarfile.open(archive) as tar:
        analysis = set(tar.getnames())

    assert archive.name == ANALYSIS_ARCHIVE
    assert heavy <= analysis
    assert not heavy & names
    assert names <= analysis


def test_analysis_pins_are_the_projects_and_not_those_of_the_other_jobs_again() -> None:
    containers = MODEL_CODE / "containers"
    analysis = pins(containers / "requirements-analysis.txt")

    assert analysis.items() <= pins(PROJECT / "requirements.txt").items()
    assert not analysis.keys() & pins(containers / "requirements.txt").keys()


def test_archive_is_the_same_bytes_in_another_place(tmp_path: Path) -> None:
    first, second = build_model_code("here", BUILD), build_model_code("here", tmp_path)
    assert first.name == second.name == CODE_ARCHIVE
    assert first.parent.name == second.parent.name
    assert first.read_bytes() == second.read_bytes()


def test_packages_of_the_image_are_the_same_files_in_another_place(tmp_path: Path) -> None:
    """What is packed of them is the same then: archives for here and for the image are packed alike."""
    found = []
    for name in ("one", "other"):
        vendor(MODEL_CODE / "containers" / "requirements.txt", SAGEMAKER, folder := tmp_path / name)
        files = [path for path in folder.rglob("*") if path.is_file()]
        found.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert len(found[0]) > 100
    assert found[0] == found[1]


def test_archive_of_the_laptop_has_the_bytecode_of_all_our_modules() -> None:
    with tarfile.open(build_model_code("here", BUILD)) as tar:
        names = {PurePosixPath(name) for name in tar.getnames()}
    ours = {name for name in names if name.suffix == ".py" and name.parts[0] != "vendor"}
    assert len(ours) > 100
    assert {PurePosixPath(cache_from_source(str(name))) for name in ours} <= names


def test_archive_is_one_tar_file_whose_packages_were_compressed_before() -> None:
    archive = build_model_code("sagemaker", BUILD)
    packed = [path.read_bytes() for path in BUILD.glob("packed-vendor-containers-*/packages")]
    begins = next(content for content in packed if archive.read_bytes().startswith(content))
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert len(set(names)) == len(names)
    done = subprocess.run(["tar", "-tzf", archive], capture_output=True, text=True, check=True)
    assert (done.stdout.splitlines(), done.stderr) == (names, "")
    assert len(begins) > archive.stat().st_size / 2


def test_lambda_archive_is_the_same_in_another_place_where_builds_of_before_go(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"lambda-code-{number}").mkdir()
    (tmp_path / "other-code-1").mkdir()

    first, second = build_lambda_code(BUILD), build_lambda_code(tmp_path)

    assert first.read_bytes() == second.read_bytes()
    kept = {path.name for path in tmp_path.glob("lambda-code-*")}
    assert second.parent.name in kept
    assert len(kept) < 10
    assert (tmp_path / "other-code-1").is_dir()


def names_in(archive: Path) -> list[PurePosixPath]:
    with zipfile.ZipFile(archive) as packed:
        return [PurePosixPath(name) for name in packed.namelist()]


def test_lambda_archive_has_nothing_compiled_and_nothing_twice() -> None:
    names = names_in(build_lambda_code(BUILD))
    assert not {name.suffix for name in names} & {".so", ".pyd", ".dylib", ".pyc"}
    assert not [name for name in names if "boto3" in name.parts]
    assert len(set(names)) == len(names)


ARCHIVES: dict[str, tuple[Callable[[], Path], tuple[str, ...]]] = {
    "service": (
        lambda: build_service_code("here", BUILD),
        ("service_api.handler", "live.let_subscribe", "live.publish_live"),
    ),
    "site": (lambda: build_site_code(PROJECT / "web" / "public", BUILD), ("site.deploy_site",)),
    "scoring": (lambda: build_scoring_code("here", BUILD), ("scoring.handler", "scoring.try_release")),
    "history": (
        lambda: build_history_code("here", BUILD),
        ("history.merge_scores", "history.read_scores", "sources.fetch_telemetry", "sources.fetch_due"),
    ),
    "fraud": (lambda: build_fraud_api_code("here", BUILD), ("fraud.handler", "fraud.simulating.handler")),
    "console": (lambda: build_console_code("here", BUILD), ("console.handler",)),
    "backtesting": (lambda: build_backtesting_code("here", BUILD), ("backtesting.run_backtest",)),
    "loading": (
        lambda: build_loading_code("here", BUILD),
        ("loading.export_transactions", "loading.load_graph"),
    ),
}
"""Of functions that have one of their own, and the functions."""
OF_NONE = tuple(name for name in ENTRY_POINTS if not any(name in of for _, of in ARCHIVES.values()))


@pytest.mark.parametrize(
    ("build", "handlers"),
    [(lambda: build_lambda_code(BUILD), OF_NONE), *ARCHIVES.values()],
    ids=["shared", *ARCHIVES],
)
def test_every_lambda_handler_imports_from_its_archive_alone(
    build: Callable[[], Path], handlers: tuple[str, ...], tmp_path: Path
) -> None:
    shutil.unpack_archive(build(), tmp_path)
    root = tmp_path
    # a room that another one reads stands in the archive as a whole, with its own function
    assert set(handlers) <= set(entry_points(root / "lambdas"))
    # isolated: the project is not on the path; boto3, which the runtime has, comes from site-packages
    code = f"import sys; sys.path.insert(0, {str(root)!r}); import importlib, pathlib\n" + (
        "for name in sys.argv[1:]:\n"
        "    found = importlib.import_module(f'lambdas.{name}').__file__\n"
        "    assert found.startswith(sys.path[0]), found\n"
        "if 'console.handler' in sys.argv: importlib.import_module('watchkeeper.spec.settings')\n"
        "for name in 'aws_lambda_powertools aws_xray_sdk wrapt jmespath tzdata watchkeeper'.split():\n"
        "    found = importlib.import_module(name).__file__\n"
        "    assert found.startswith(sys.path[0]), found\n"
    )
    subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, *handlers],
        check=True,
        cwd="/",
        env={"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_TRACE_DISABLED": "1"},
    )


def test_console_archive_reads_workload_files_and_prices() -> None:
    names = {str(name) for name in names_in(build_console_code("here", BUILD))}
    assert {"lambdas/costs/prices.json", "watchkeeper/spec/loading.py", "yaml/__init__.py"} <= names


def test_service_archive_for_aws_has_modules_of_lambdas_python_and_processor() -> None:
    compiled = [name.name for name in names_in(build_service_code("lambda", BUILD)) if name.suffix == ".so"]
    assert any(name.startswith("_pydantic_core") for name in compiled)
    assert all(name.endswith("cpython-314-aarch64-linux-gnu.so") for name in compiled)


@pytest.mark.parametrize("build", [build_scoring_code, build_loading_code, build_backtesting_code])
def test_archive_for_aws_has_numpy_of_lambdas_python_and_processor_and_fits(
    build: Callable[[Literal["lambda"], Path], Path],
) -> None:
    archive = build("lambda", BUILD)
    numpy = [name.name for name in names_in(archive) if name.parts[0] == "numpy" and name.suffix == ".so"]
    assert numpy
    assert all(name.endswith("cpython-314-aarch64-linux-gnu.so") for name in numpy)
    with zipfile.ZipFile(archive) as packed:
        assert sum(member.file_size for member in packed.infolist()) < 250 * 1024 * 1024


@pytest.mark.parametrize("folder", [LAMBDAS, SCORING, SERVICE_API])
def test_lambda_pins_are_the_projects(folder: Path) -> None:
    project = pins(PROJECT / "requirements.txt")
    for name, version in pins(folder / "requirements.txt").items():
        assert project[name] == version, name


@pytest.mark.parametrize("folder", [SCORING, SERVICE_API])
def test_functions_with_an_archive_of_their_own_have_the_pins_of_the_others(folder: Path) -> None:
    assert pins(LAMBDAS / "requirements.txt").items() <= pins(folder / "requirements.txt").items()


def test_package_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("matplotlib==0.0.0.1\n")
    target = Target("example", "3.12", linux="x86_64")
    with pytest.raises(UnavailableError, match=r"matplotlib==0\.0\.0\.1"):
        vendor(requirements, target, tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()
