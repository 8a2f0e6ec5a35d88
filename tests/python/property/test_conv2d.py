from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.convolutions("b1"))
def test_on_spikes_and_counts(case: strategies.Case) -> None:
    check(case)


@given(strategies.convolutions("u8"))
def test_on_pixels(case: strategies.Case) -> None:
    check(case)
