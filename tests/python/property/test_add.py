from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.adds())
def test_add(case: strategies.Case) -> None:
    check(case)
