"""Methods whose text and numbers are checked by what their signatures say."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, SupportsFloat, TypeVar

import numpy as np

from snncore.arguments import brief, integer

_Class = TypeVar("_Class", bound=type)
_Check = Callable[[str, Any], object]


def _text(what: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what}: expected text, received {brief(value)}")


def _number(what: str, value: Any) -> None:
    single = np.ndim(value) == 0 and not isinstance(value, (str, bytes))
    if not single or not isinstance(value, SupportsFloat):
        raise TypeError(f"{what}: expected a number, received {brief(value)}")


def _flag(what: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{what}: expected True or False, received {brief(value)}")


def _each(check: _Check) -> _Check:
    def of_list(what: str, values: Any) -> None:
        if isinstance(values, (str, bytes)) or not np.iterable(values):
            raise TypeError(f"{what}: expected a list, received {brief(values)}")
        for value in values:
            check(what, value)

    return of_list


def _texts(what: str, values: Any) -> None:
    if not isinstance(values, Mapping):
        raise TypeError(f"{what}: expected a dictionary, received {brief(values)}")
    for key, value in values.items():
        _text(what, key)
        _text(f"{what}['{key}']", value)


#: By what a signature says; what is not here is checked where it is used.
_CHECKS: Final[dict[str, _Check]] = {
    "str": _text,
    "int": integer,
    "float": _number,
    "bool": _flag,
    "Sequence[str]": _each(_text),
    "Sequence[int]": _each(integer),
    "Mapping[str, str]": _texts,
    **dict.fromkeys(("Encoding", "Leak", "Literal", "Profile", "Reset", "SaccadeMode", "State"), _text),
}


def typed(cls: _Class) -> _Class:
    """Let the public methods of a class refuse values of another type; the TypeError names the argument."""
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_"):
            setattr(cls, name, _checked(method))
    return cls


def _checked(method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)
    checks = [rule for p in signature.parameters.values() if (rule := _rule(p)) is not None]

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        name = given.get("name")
        where = f"{method.__name__} '{name}'" if isinstance(name, str) else method.__name__
        for argument, check, may_lack in checks:
            if argument in given and not (may_lack and given[argument] is None):
                check(f"{where}: {argument}", given[argument])
        return method(*args, **kwargs)

    return call


def _rule(parameter: inspect.Parameter) -> tuple[str, _Check, bool] | None:
    """Give the name of a parameter, its check, and whether it may be None."""
    said = str(parameter.annotation)
    kind = said.removesuffix(" | None")
    check = _CHECKS.get("Literal" if kind.startswith("Literal") else kind)
    return None if check is None else (parameter.name, check, kind != said)
