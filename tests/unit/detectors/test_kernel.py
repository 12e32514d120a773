"""The compiled kernel: its numbers, the records that others build on, and where it comes from."""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import sys
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.detectors.native import library as native
from watchkeeper.detectors.native.compiling import TARGETS, library_in, this_platform
from watchkeeper.detectors.native.elementwise import decimal_logarithm, exponential, interpolated
from watchkeeper.detectors.native.library import FLOAT, MissingKernelError, address, library, require_layout
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.detectors.streaming.fleet import Fleet
from watchkeeper.detectors.streaming.kernel import OUTPUT, advance_all, advance_rows
from watchkeeper.detectors.streaming.state import PARAMETERS, STATE, STATE_VERSION, Parameters, new_states

GOLDEN = Path(__file__).with_name("golden_kernel.json")
POSITIVE = st.floats(5e-324, 1.7e308) | st.floats(0.5, 2.0)


def units_off(found: float, exact: Decimal) -> float:
    """Return by how many units in the last place a number is off."""
    return float(abs(Decimal(float(found)) - exact) / Decimal(math.ulp(float(exact))))


def of_one(name: str) -> Callable[[float], float]:
    function = library()[name]
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return function


@settings(max_examples=300)
@given(st.floats(-745, 709) | st.floats(-1, 1))
def test_exponential_is_off_by_at_most_a_unit_in_the_last_place(x: float) -> None:
    with localcontext(prec=60):
        assert units_off(float(exponential(x)), Decimal(x).exp()) <= 1.0


@settings(max_examples=300)
@given(POSITIVE)
def test_logarithms_are_off_by_at_most_two_units_in_the_last_place(x: float) -> None:
    with localcontext(prec=340):
        if x != 1:
            assert units_off(of_one("logarithm")(x), Decimal(x).ln()) <= 1.0
            assert units_off(float(decimal_logarithm(x)), Decimal(x).log10()) <= 2.0
        if x > 1e-300:
            assert units_off(of_one("logarithm_of_one_plus")(x), (1 + Decimal(x)).ln()) <= 2.0


def test_numbers_at_the_ends_are_those_of_the_mathematics() -> None:
    infinite = math.inf
    np.testing.assert_array_equal(
        exponential([-infinite, -800, 0, 800, infinite, np.nan]), [0, 0, 1, infinite, infinite, np.nan]
    )
    np.testing.assert_array_equal(
        decimal_logarithm([0, 1, infinite, -1, np.nan]), [-infinite, 0, infinite, np.nan, np.nan]
    )


@settings(max_examples=200)
@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=8, unique=True),
    st.lists(st.floats(-200, 200), min_size=1, max_size=8),
)
def test_interpolation_is_numpys(places: list[float], x: list[float]) -> None:
    table = np.array([sorted(places), np.sin(places)]).T.copy()
    np.testing.assert_allclose(
        interpolated(x, table), np.interp(x, table[:, 0], table[:, 1]), rtol=1e-9, atol=1e-9
    )


def test_the_state_is_the_one_that_pages_and_artifacts_were_written_with() -> None:
    """A state that changes makes what was written unreadable: count the version up, and say what becomes of
    pages and artifacts of the version before."""
    fields = [[name, *map(str, rest)] for name, *rest in STATE.descr]
    layout = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
    assert (STATE_VERSION, STATE.itemsize, layout[:16]) == (1, 10_736, "672202e7508abf7e")


@pytest.mark.parametrize("record", [STATE, PARAMETERS, OUTPUT], ids=["state", "parameters", "output"])
def test_a_kernel_with_other_fields_is_refused(
    record: np.dtype[np.void], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    require_layout(name, record)
    other = np.dtype([*record.descr[1:], record.descr[0]])
    with pytest.raises(ContractViolationError, match=f"record of {name} has other fields"):
        require_layout(name, other)


def telemetry(rows: int, seed: int) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    values = 20 + 5 * np.sin(np.arange(rows) / 45.8) + generator.integers(-8, 9, size=rows) / 16
    values[generator.integers(0, rows, size=5)] += 30
    values[generator.integers(0, rows, size=20)] = np.nan
    values[rows // 2 : rows // 2 + 30] = values[0]
    return values


def test_scores_are_those_of_the_kernel_before_this_one() -> None:
    """Written down from the kernel that numba compiled; a value is a dyadic fraction, a sine apart."""
    golden = json.loads(GOLDEN.read_text())
    rows = len(golden["values"])
    values = np.array([np.nan if value is None else value for value in golden["values"]])
    hours = np.arange(rows) // 12 % 168
    missing = np.where(np.arange(rows) % 97 == 96, 3, 0)
    outputs = advance_all(new_states(1), Parameters().record(), hours, missing, values)
    found = {"onset": outputs["onset"], "level": outputs["level"], "expected": outputs["expected"]}
    assert (found["onset"] > 0).sum() > 5
    for name, numbers in found.items():
        np.testing.assert_allclose(numbers, np.array(golden[name], dtype=float), rtol=1e-9, atol=1e-9)


@settings(max_examples=15)
@given(st.integers(1, 6), st.integers(0, 1000))
def test_a_shelf_of_series_moves_as_each_series_alone(series: int, seed: int) -> None:
    rows = 200
    values = np.array([telemetry(rows, seed + one) for one in range(series)])
    missing = np.random.default_rng(seed).integers(0, 6, size=(series, rows))
    hours = np.repeat(np.arange(rows)[np.newaxis], series, axis=0)
    parameters, shelf, alone = Parameters().record(), new_states(series + 1), new_states(series)
    places = np.random.default_rng(seed).permutation(series + 1)[:series]
    together = np.array(
        [
            advance_rows(
                shelf,
                parameters,
                hours[:, row].copy() % 168,
                missing[:, row].copy(),
                values[:, row].copy(),
                places=places,
            )
            for row in range(rows)
        ]
    )
    for one in range(series):
        single = advance_all(alone[one : one + 1], parameters, hours[one] % 168, missing[one], values[one])
        assert single.tobytes() == together[:, one].tobytes()
        assert shelf[places[one]].tobytes() == alone[one].tobytes()


@pytest.mark.parametrize(
    ("hours", "places", "message"),
    [
        ([168], [0], "hours 168 to"),
        ([-1], [0], "hours -1"),
        ([0], [3], "states 3 to 3"),
        ([0], [-1], "among 3"),
    ],
)
def test_places_outside_of_the_records_are_refused(hours: list[int], places: list[int], message: str) -> None:
    with pytest.raises(ContractViolationError, match=message):
        advance_rows(
            new_states(3),
            Parameters().record(),
            np.array(hours),
            np.zeros(1, dtype=np.int64),
            np.zeros(1),
            places=np.array(places),
        )


def test_an_array_of_another_kind_is_refused() -> None:
    with pytest.raises(ContractViolationError, match="no contiguous"):
        address(np.zeros(4)[::2], FLOAT)
    with pytest.raises(ContractViolationError, match="float32"):
        address(np.zeros(4, dtype=np.float32), FLOAT)


def test_a_platform_without_a_kernel_is_told_which_have_one(tmp_path: Path) -> None:
    with pytest.raises(MissingKernelError, match="not built for plan9-mips: use one of linux-x86_64"):
        native._find("plan9-mips", tmp_path, tmp_path)


def test_an_installed_package_without_its_kernel_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingKernelError, match=r"linux-aarch64\.so is missing: install"):
        native._find("linux-aarch64", tmp_path, tmp_path)


def test_a_checkout_without_the_compiler_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setitem(sys.modules, "ziglang", None)
    with pytest.raises(MissingKernelError, match="run `make setup`"):
        native._find("linux-x86_64", tmp_path, tmp_path)


def test_the_kernel_beside_the_package_is_taken(tmp_path: Path) -> None:
    for target in TARGETS:
        packed = library_in(tmp_path, target)
        packed.parent.mkdir(exist_ok=True)
        packed.touch()
        assert native._find(target, tmp_path, tmp_path) == packed


def test_the_kernel_needs_no_other_library() -> None:
    content = native._find(this_platform(), native.PACKED, native._CHECKOUT).read_bytes()
    assert not any(name in content for name in (b"libc.so", b"libm.so", b"GLIBC_"))


def test_scoring_calls_nothing_of_numpy_whose_numbers_differ_between_hosts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Numpy's exp, log and powers follow the processor's vector unit, LAPACK its version."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("scoring called it")

    for name in ("exp", "expm1", "log", "log1p", "log2", "log10", "power", "interp", "dot", "matmul"):
        monkeypatch.setattr(np, name, refuse)
    monkeypatch.setattr(np.linalg, "eigh", refuse)
    values = np.array([telemetry(400, seed) for seed in range(3)]).T

    scores = score_series(300.0 * np.arange(400), values)
    fleet = Fleet()
    followed = fleet.update(fleet.join(3), values[0])

    assert np.isfinite(scores.anomaly_score).all()
    assert np.isfinite(followed.severity).all()
