from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.networks())
def test_integer_networks(case: strategies.Case) -> None:
    check(case)


@given(strategies.real_networks())
def test_float_networks(case: strategies.Case) -> None:
    check(case)
