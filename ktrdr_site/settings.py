"""Django's settings. What a user may change comes from `ktrdr_site.environment`, nothing is read elsewhere."""

from __future__ import annotations

import mimetypes
from typing import Any

from ktrdr_site import environment
from ktrdr_site.databases import database
from ktrdr_site.secrets import secret_key

ENV = environment.read()
BASE_DIR = environment.PROJECT

SECRET_KEY = ENV.secret_key or secret_key(ENV.data_dir)
DEBUG = ENV.debug
ALLOWED_HOSTS = [name.strip() for name in ENV.allowed_hosts.split(",") if name.strip()]

INSTALLED_APPS = [
    "ktrdr_site.administration.Config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_q",
    "ninja",
    "research",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "ktrdr_site.security.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"ktrdr": "research.dashboard.templatetags.ktrdr"},
        },
    }
]
ROOT_URLCONF = "ktrdr_site.urls"
ASGI_APPLICATION = "ktrdr_site.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": database(ENV)}

TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
LANGUAGE_CODE = "en"

STATIC_URL = "static/"
STATIC_ROOT = ENV.data_dir / "static"  # whitenoise wants it to exist, collected or not
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # nothing to collect before the first page
WHITENOISE_AUTOREFRESH = DEBUG
mimetypes.add_type("text/javascript", ".js", strict=True)

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "blobs": {"BACKEND": "research.services.blobstorage.BlobStorage", "OPTIONS": {"location": ENV.blob_dir}},
}

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https
SECURE_SSL_REDIRECT = ENV.https
# Probes and the workers of this host come over plain loopback; a redirect would not protect a token already sent.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$", r"^api/v1/(workers|operations)/"]
SECURE_HSTS_SECONDS = 365 * 86400 if ENV.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENV.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_LONGEST_PHASE = max(ENV.design_deadline, ENV.assessment_deadline)
Q_CLUSTER = {
    "name": "ktrdr",
    "orm": "default",
    "workers": ENV.phase_slots + 2,  # always room for the leader and the canary
    # Our own tables are the only authority: the queue must never stop, count or repeat a task by itself.
    "timeout": int(_LONGEST_PHASE) + 600,
    "retry": int(_LONGEST_PHASE) + 86400,
    "max_attempts": 1,
    "ack_failures": True,
    "queue_limit": 1,
    "bulk": 1,
    "poll": 0,  # ours listens: see ktrdr_site.cluster.broker
    "catch_up": False,
    "save_limit": 20,
    "label": "Task queue",
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "uvicorn.access": {"level": "WARNING"},
    }
    | {
        name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
        for name in ("django", "django-q", "research", "ktrdr_site", "uvicorn")
    },
}
