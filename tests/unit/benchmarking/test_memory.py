"""Growth of memory is judged over the second half of a run."""

from __future__ import annotations

from benchmarks.memory import MemoryCurve

_MEBIBYTE = 1024 * 1024


def curve(*mebibytes: int) -> MemoryCurve:
    return MemoryCurve([value * _MEBIBYTE for value in mebibytes])


def test_a_rise_in_the_first_half_is_no_growth() -> None:
    flat = curve(*range(50, 100), *([100] * 50))

    assert flat.growth_mebibytes == 0
    assert flat.max_mebibytes == 100


def test_a_rise_in_the_second_half_is_growth() -> None:
    rising = curve(*([50] * 50), *range(50, 100))

    assert rising.growth_mebibytes > 30
