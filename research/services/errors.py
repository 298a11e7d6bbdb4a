"""What a service refuses, in words a person can act on. `code` names the case for programs."""

from __future__ import annotations


class ServiceError(Exception):
    """Base of every refusal; `exit_code` is what a command ends with, `status` what HTTP answers."""

    exit_code = 1
    status = 409
    code = "refused"


class StaleOperation(ServiceError):
    """The row was no longer in the state that the change relied on: nothing was changed."""

    code = "stale"


class NotFound(ServiceError):
    exit_code = 1
    status = 404
    code = "not_found"


class Invalid(ServiceError):
    """Bad input; the message says what to do."""

    exit_code = 2
    status = 422
    code = "invalid"


class Refused(ServiceError):
    """Not possible in this state, such as cancelling what is over."""


class Forbidden(ServiceError):
    status = 403
    code = "forbidden"


class Unauthorised(ServiceError):
    status = 401
    code = "unauthorised"
