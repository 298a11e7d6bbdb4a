"""What can go wrong with the embedded PostgreSQL, in words for the person who started it."""


class LocalPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""

    exit_code = 5


class AlreadyRunning(LocalPostgresError):
    """Another server already serves this data folder."""

    exit_code = 4


class NotRunning(LocalPostgresError):
    """No server serves this data folder."""

    exit_code = 3
