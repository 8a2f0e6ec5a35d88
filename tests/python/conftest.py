"""Settings that all Python tests share."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Helpers beside the tests (snnfile, property.strategies ...) are imported by name.
sys.path.insert(0, str(Path(__file__).parent))

# Tables are as wide as they need to be, whatever terminal the tests run in.
os.environ["COLUMNS"] = "250"

# Deterministic: a failure is the change's and not the day's. --hypothesis-profile=search looks further.
_FIXED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", _FIXED, max_examples=25)
settings.register_profile("ci", _FIXED, max_examples=100)
settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "quick")

if "SNNCORE_CASES" in os.environ:
    import cases

    cases.keep(Path(os.environ["SNNCORE_CASES"]))

_MISSING = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
if _MISSING:
    collect_ignore = ["reference", "property", "frameworks"]


def pytest_report_header(config: pytest.Config) -> list[str]:
    if not _MISSING:
        return []
    return [f"{' and '.join(_MISSING)} missing: reference/, property/ and frameworks/ are left out"]
