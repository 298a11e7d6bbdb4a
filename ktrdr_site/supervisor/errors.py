"""Why nothing was started, in words for the person who tried."""


class SupervisorError(Exception):
    """KTRDR cannot be started here; the message says what to do."""

    exit_code = 1


class AlreadyUp(SupervisorError):
    """Another supervisor serves this data folder."""

    exit_code = 4


class DatabaseUnreachable(SupervisorError):
    """`DATABASE_URL` does not answer."""

    exit_code = 3


class NoRoom(SupervisorError):
    """The port is taken, or the disk is full or read-only."""

    exit_code = 5
