from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.residuals())
def test_shortcuts_and_several_sums(case: strategies.Case) -> None:
    check(case)
