from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.pools())
def test_pools(case: strategies.Case) -> None:
    check(case)
