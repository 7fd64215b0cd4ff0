"""The project in which the suite runs: the design's shop, on SQLite unless DATABASE_URL says otherwise."""

import os
import tempfile
from pathlib import Path

import environ

env = environ.Env()

SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # not ours: it must change nothing

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_klarna",
    "tests.shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.db_url("DATABASE_URL", default="sqlite:////tmp/klarna.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("mysql"):
    # Pure Python, so that the suite needs no compiler; Django itself knows mysqlclient only.
    import pymysql

    pymysql.install_as_MySQLdb()
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
    }
    # A file: several threads of a test use it at once. And one for each run.
    DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.gettempdir()}/klarna-tests-{os.getpid()}.sqlite3"}

SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"

KLARNA_CART_MODEL = "shop.Cart"
KLARNA_CART_ADAPTER = "tests.shop.klarna.ShopCartAdapter"
KLARNA_BASE_URL = "https://shop.example"
# Each test gets the address of its own sandbox from a fixture.
KLARNA = {"default": {"USERNAME": "K1", "PASSWORD": "secret-of-k1"}}
KLARNA_THROTTLE_RATES = dict.fromkeys(("session", "recheck", "attempt", "authorization"), "1000/min")
