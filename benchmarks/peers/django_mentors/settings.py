"""Settings of the Django peer: production values, connections that are kept, no sign-in at all (which spares it work)."""

from __future__ import annotations

import os

SECRET_KEY = "a benchmark has no secrets, and needs fifty characters for them"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "simple_history",
    "benchmarks.peers.django_mentors",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "benchmarks.peers.django_mentors.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "django",
        "USER": "postgres",
        "HOST": os.environ.get("PEER_DATABASE_HOST", ""),
        "PORT": os.environ.get("PEER_DATABASE_PORT", ""),
        "CONN_MAX_AGE": None,  # one connection for each thread, kept
    }
}
# The tables come from the models themselves (migrate --run-syncdb).
MIGRATION_MODULES = {"contenttypes": None, "auth": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
