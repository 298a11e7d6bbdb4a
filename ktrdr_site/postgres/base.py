"""The engine itself: Django looks for `DatabaseWrapper` here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from psycopg.errors import IdleInTransactionSessionTimeout

if TYPE_CHECKING:
    from types import TracebackType


class _Errors(DatabaseErrorWrapper):
    """A process that wakes after a freeze finds its transaction ended and its session closed. For psycopg that is an
    InternalError (SQLSTATE 25P03), which reads like a fault of the work in hand; it is a lost connection like any
    other: whoever meets one connects again and looks whether the work is still its own.
    """

    def __init__(self, wrapper: DatabaseWrapper) -> None:
        super().__init__(wrapper)
        self._ours = wrapper

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc_value, IdleInTransactionSessionTimeout):
            self._ours.errors_occurred = True
            raise OperationalError(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _Errors(self)
