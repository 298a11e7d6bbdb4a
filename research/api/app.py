"""The API: `/api/v1`, described at `/api/v1/docs`. Every refusal is JSON: `code` for programs, `message` for people."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from research.api import blobs, events, recovery, researches, sync, workers
from research.services.errors import ServiceError

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja.openapi.schema import OpenAPISchema

log = logging.getLogger("ktrdr.api")
_CODES = {400: "bad_request", 401: "unauthorised", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


class _Api(NinjaAPI):
    """The document also describes what ninja does not read itself: the body of sync."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        for part, named in sync.described()["components"].items():
            document["components"][part] = document["components"].get(part, {}) | named
        return document


api = _Api(
    title="KTRDR",
    version="1",
    description="Researches, workers and events for scripts (signed in); sync and blobs for workers (bearer token).",
    urls_namespace="api",
)
api.add_router("/operations/", blobs.router, tags=["blobs"])
api.add_router("/datasets/", blobs.datasets_router, tags=["blobs"])
api.add_router("/researches", researches.router, tags=["researches"])
api.add_router("/workers", sync.router, tags=["sync"])
api.add_router("/workers", workers.router, tags=["workers"])
api.add_router("/recovery", recovery.router, tags=["recovery"])
api.add_router("/", events.router, tags=["events"])


def problem(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    return api.create_response(request, {"code": code, "message": message}, status=status)


@api.exception_handler(ServiceError)
def _refused(request: HttpRequest, error: ServiceError) -> HttpResponse:
    return problem(request, error.status, error.code, str(error))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    places = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors]
    return problem(request, 422, "invalid", "; ".join(places))


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    message = "Sign in, or send a bearer token." if error.status_code == 401 else str(error)
    return problem(request, error.status_code, _CODES.get(error.status_code, "refused"), message)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
    return problem(request, 404, "not_found", "There is nothing at this address.")


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(InternalError)
def _database(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("the database does not answer: %s", error)
    return problem(request, 503, "database_unavailable", "The database does not answer; try again.")
