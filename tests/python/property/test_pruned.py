from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.pruned())
def test_pruned_weights(case: strategies.Case) -> None:
    check(case)
