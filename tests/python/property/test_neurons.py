from hypothesis import given
from property import strategies
from property.engine import check


@given(strategies.neurons())
def test_leaks_resets_states_and_profiles(case: strategies.Case) -> None:
    check(case)
