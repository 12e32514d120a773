from __future__ import annotations

import random

import pytest

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.telemetry.expectation import expectation, expected_value, fit_step_scale, step_scale_of


def test_one_spike_does_not_become_the_expectation() -> None:
    assert expected_value([900.0, 10.0, 11.0, 500.0]) == 11.0
    assert expected_value([10.0, 12.0]) == 11.0
    assert expected_value([]) is None


def test_the_band_is_three_step_scales_to_each_side() -> None:
    band = expectation(10.0, 0.5)

    assert (band.expected, band.lower, band.upper) == (10.0, 8.5, 11.5)


def test_step_scale_is_the_standard_deviation_of_normal_residuals_and_ignores_outliers() -> None:
    chooser = random.Random(3)
    pairs: list[tuple[float, float | None]] = [(100 + chooser.gauss(0, 2), 100.0) for _ in range(5000)]
    outliers: list[tuple[float, float | None]] = [(1e6, 100.0)] * 100

    assert fit_step_scale(pairs) == pytest.approx(2.0, rel=0.05)
    assert fit_step_scale(pairs + outliers) == pytest.approx(2.0, rel=0.08)


@pytest.mark.parametrize(
    "pairs", [[], [(5.0, None)], [(0.0, 0.0)] * 9, [(5.0, 5.0)] * 9, [(0.0, 0.0)] * 9 + [(4.0, 0.0)]]
)
def test_step_scale_is_always_above_zero(pairs: list[tuple[float, float | None]]) -> None:
    assert fit_step_scale(pairs) > 0.0


def test_an_unknown_series_has_the_median_scale_of_its_measure() -> None:
    scales = {"co|hall=a": 1.0, "co|hall=b": 2.0, "co|hall=c": 9.0, "no2|hall=a": 50.0}

    assert step_scale_of("co|hall=b", scales) == 2.0
    assert step_scale_of("co|hall=new", scales) == 2.0
    with pytest.raises(ContractViolationError, match="so2"):
        step_scale_of("so2|hall=a", scales)
