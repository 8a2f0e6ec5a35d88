"""Planned programs, and the sessions that wait for the next run."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple

from snncore import _core

#: Plans that a model keeps; the one unused for longest goes first.
KEPT_PLANS = 4
#: Idle sessions that a plan keeps, for callers that run one model from several threads.
KEPT_SESSIONS = 4


class PlanKey(NamedTuple):
    """Everything that a program is planned for."""

    mode: _core.Mode
    timesteps: int
    batch: int
    threads: int
    layout: str
    record: tuple[str, ...]


class _Plan:
    """A program with its idle sessions. Threads may share it: both ends of a deque are atomic."""

    __slots__ = ("idle", "program")

    def __init__(self, program: _core.Program) -> None:
        self.program = program
        self.idle: deque[_core.Session] = deque(maxlen=KEPT_SESSIONS)


class _Lent:
    __slots__ = ("_plan", "_session")

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan

    def __enter__(self) -> _core.Session:
        try:
            self._session = self._plan.idle.pop()
        except IndexError:
            self._session = _core.Session(self._plan.program)
        return self._session

    def __exit__(self, *_: object) -> None:
        self._plan.idle.append(self._session)


class Plans:
    """The last few programs of a model. Threads may share it."""

    def __init__(self, model: _core.Model) -> None:
        self._model = model
        self._plans: OrderedDict[PlanKey, _Plan] = OrderedDict()
        self._lock = Lock()

    def session(self, key: PlanKey) -> _Lent:
        """Lend a session that nobody else uses meanwhile: a context."""
        return _Lent(self._plan(key))

    def program(self, key: PlanKey) -> _core.Program:
        """Plan, or give the plan made before."""
        return self._plan(key).program

    def _plan(self, key: PlanKey) -> _Plan:
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        plan = _Plan(_core.Program(self._model, **key._asdict()))  # slow, so outside the lock
        with self._lock:
            plan = self._plans.setdefault(key, plan)
            self._plans.move_to_end(key)
            while len(self._plans) > KEPT_PLANS:
                self._plans.popitem(last=False)
        return plan


def record_names(record: str | Iterable[str] | None) -> tuple[str, ...]:
    """Take one name, several or none."""
    if record is None:
        return ()
    names = (record,) if isinstance(record, str) else tuple(record)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise TypeError(f"record: expected names of layers, received {type(wrong[0]).__name__}")
    return names
