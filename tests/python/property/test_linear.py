from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.linears())
def test_linear(case: strategies.Case) -> None:
    check(case)
