"""Settings of a test session: a data folder of its own, made before anything reads the environment."""

import atexit
import os
import shutil
import tempfile

_session = tempfile.mkdtemp(prefix="ktrdr-tests-")
atexit.register(shutil.rmtree, _session, ignore_errors=True)
os.environ["KTRDR_DATA_DIR"] = _session
os.environ.setdefault("KTRDR_SECRET_KEY", "of-the-test-session-" + "x" * 40)
os.environ["KTRDR_TESTING"] = "1"

from ktrdr_site.settings import *  # noqa: E402, F403

os.environ["DJANGO_SETTINGS_MODULE"] = "ktrdr_site.settings"  # for the processes that tests start

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["OPTIONS"].pop("options", None)  # noqa: F405  # tests sit in one transaction, waiting for others
