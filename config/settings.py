"""All settings, in one file, read from the environment.

`script/server` and `script/test` write what a checkout needs (ports, passwords, folders); a value that makes no
sense is refused at start with a sentence that says what to write (`config/env.py`).
"""

import gc
import hashlib
import os
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from config.env import (
    env_bool,
    env_database,
    env_email,
    env_int,
    env_list,
    env_ports,
    env_required,
    env_str,
    env_texts,
    env_url,
    is_loopback,
    load_file,
    local_folder,
    overlap,
    refuse,
)
from config.schedule import beat_schedule

# While a process loads nothing becomes garbage, and looking for it took a tenth of its start. Until `pages/apps.py`,
# which is the last.
gc.disable()
# numpy multiplies small matrices only: its threads would wait for each other, and take the cores that sound needs.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Threads of Whisper that wait for each other sleep: spinning took a fifth of its processor time for nothing.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = local_folder()
load_file(LOCAL_DIR / "env")  # written by script/server; a variable that is set already wins

# --- this installation ---------------------------------------------------------------------------------------------
DEBUG = env_bool("DEBUG", False)
# Key of the pages for development at /dev/ (mails, demo accounts and their codes); without it there are none.
# script/server makes one for its checkout.
DEV_KEY = env_str("DEV_KEY", check=lambda key: len(key) >= 32, write="32 random characters or more, or nothing")
SECRET_KEY = env_required("SECRET_KEY", "50 random characters or more")
PORT = env_int("PORT", 8000, 1, 65535)
SITE_URL = env_url("SITE_URL", f"http://localhost:{PORT}", ("http", "https"))
SITE_NAME = env_str("SITE_NAME", "Stamtafel")
HTTPS = SITE_URL.startswith("https://")
_HOST = urlsplit(SITE_URL).hostname or ""
if DEBUG and not is_loopback(_HOST):
    write = f"false: others reach this site, at {SITE_URL}, and DEBUG shows them what is inside"
    raise refuse("DEBUG", "true", write)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [SITE_URL])
# Behind our nginx, which sets the client's address (X-Forwarded-For) and scheme (X-Forwarded-Proto).
BEHIND_PROXY = env_bool("BEHIND_PROXY", False)
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "core.admin.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "channels",
    "csp",
    "pgtrigger",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "core.apps.CoreConfig",
    "ledger.apps.LedgerConfig",
    "mail.apps.MailConfig",
    "people.apps.PeopleConfig",
    "social.apps.SocialConfig",
    "rooms.apps.RoomsConfig",
    "retention.apps.RetentionConfig",
    "transcripts.apps.TranscriptsConfig",
    "moderation.apps.ModerationConfig",
    "pages.apps.PagesConfig",
]

MIDDLEWARE = [
    "config.headers.safe_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.plain_input.plain_input",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "people.middleware.ReaderMiddleware",  # outside of messages, which are put into words as the answer leaves
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    # Before what asks the database for more: the session's row, then pace, then what the account may see at all.
    "people.pace.RequestLimitMiddleware",
    "people.middleware.SeenMiddleware",
    "people.staff_gate.StaffGateMiddleware",
    "people.suspension.SuspensionMiddleware",
    "rooms.rules.identity.ListenerMiddleware",
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
                "csp.context_processors.nonce",
                "people.context.site",
                "social.context.unread",
            ],
        },
    },
]

# --- storage -------------------------------------------------------------------------------------------------------
DATABASES = {"default": env_database("DATABASE_URL")}
# The role that owns the tables, for `manage.py migrate` alone; where it is not given, the site's own role migrates.
MIGRATIONS_DATABASE = env_database("MIGRATIONS_DATABASE_URL") if env_str("MIGRATIONS_DATABASE_URL") else {}
REDIS_URL = env_url("REDIS_URL", "redis://127.0.0.1:6379/0", ("redis", "rediss", "unix"))
# Prefix of every key in Redis, so that parallel test runs stay apart.
REDIS_PREFIX = env_str("REDIS_PREFIX", "stamtafel:")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": REDIS_PREFIX + "cache",
    }
}
SESSION_ENGINE = "people.sessions"
MEDIA_ROOT = Path(env_str("MEDIA_ROOT", str(LOCAL_DIR / "pictures")))
MEDIA_URL = "/pictures/"
STATIC_URL = "/static/"
STATIC_ROOT = LOCAL_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
RECORDINGS_DIR = Path(env_str("RECORDINGS_DIR", str(LOCAL_DIR / "recordings")))
# Recording pauses while less than this is free: PostgreSQL (up to 1 GB of log between checkpoints, by default) and
# Redis may write to the same disk, and rooms live without a recording, but not without them.
RECORDINGS_RESERVE_MB = env_int("RECORDINGS_RESERVE_MB", 1024, 1, 10_000_000)
# Folder in memory for HLS meanwhile, about 150 KB a room; web and media must both reach it.
_MEMORY = Path("/dev/shm") / f"stamtafel-{hashlib.sha256(str(RECORDINGS_DIR).encode()).hexdigest()[:12]}"
WINDOW_DIR = Path(env_str("WINDOW_DIR", str(_MEMORY if _MEMORY.parent.is_dir() else LOCAL_DIR / "window")))
if overlap(WINDOW_DIR, RECORDINGS_DIR):
    raise refuse("WINDOW_DIR", str(WINDOW_DIR), "a folder apart from RECORDINGS_DIR: what lies in it is removed")
# Production: nginx delivers files that Django has authorised (X-Accel-Redirect); development: Django itself.
X_ACCEL_REDIRECT = env_bool("X_ACCEL_REDIRECT", False)
# `collected`: by collectstatic, joined, with names that change with the content; `source`: as they are, at once.
STATIC_FILES = env_str("STATIC_FILES", "source" if DEBUG else "collected", ("collected", "source"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if STATIC_FILES == "source"
        else "core.joined_files.JoinedFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = STATIC_FILES == "source"
if STATIC_FILES == "collected":  # `config/static_files.py` answers for these
    MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
PICTURE_MAX_BYTES = 5 * 1024 * 1024
# Width times height. Decoding takes up to 16 bytes each, in a process of its own (people/picture_worker.py).
PICTURE_MAX_PIXELS = env_int("PICTURE_MAX_PIXELS", 12_000_000, 250_000, 50_000_000)

# --- people --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
MINIMUM_AGE = env_int("MINIMUM_AGE", 16, 0, 120)
RULES_VERSION = "2026-12"
# allauth's backend alone: with Django's beside it a wrong password would be counted, and computed, twice.
AUTHENTICATION_BACKENDS = ["people.accounts.backend.AccountBackend"]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "handle"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_ADAPTER = "people.accounts.adapter.AccountAdapter"
ACCOUNT_USER_DISPLAY = "people.accounts.display"
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_USERNAME_VALIDATORS = "people.accounts.forms.HANDLE_VALIDATORS"
ACCOUNT_USERNAME_BLACKLIST = [
    *("admin", "administrator", "moderator", "staff", "support"),
    *("help", "stamtafel", "system", "root", "abuse"),
]
HANDLE_HELD_DAYS = env_int("HANDLE_HELD_DAYS", 365, 0, 3650)  # for so long nobody gets the handle of a deleted account
# An account lives once its address is confirmed: so a sign-up answers the same whether the address is known or not.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
SIGNUP_DAYS = env_int("SIGNUP_DAYS", 3, 1, 30)  # so long the link of a sign-up works, and its handle is kept
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = SIGNUP_DAYS
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # in the browser that signed up; any other chooses a password first
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True  # a second step is asked for even so
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "people.accounts.tokens.ResetTokens"
PASSWORD_RESET_TIMEOUT = env_int("PASSWORD_RESET_MINUTES", 24 * 60, 5, 7 * 24 * 60) * 60
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
# How often somebody may try is counted by people/accounts/limits.py; these are allauth's own, by request.
ACCOUNT_RATE_LIMITS = {
    "login": "300/m/ip",
    "login_failed": None,
    "signup": "60/m/ip",
    "reset_password": "120/m/ip",
    "confirm_email": None,
    "reauthenticate": "20/m/user",
}
# Wrong passwords and codes: at once, and so many a minute after that.
SIGN_IN_TRIES = env_int("SIGN_IN_TRIES", 5, 1, 1000)  # of one address at one account
SIGN_IN_TRIES_ADDRESS = env_int("SIGN_IN_TRIES_ADDRESS", 30, 1, 100_000)  # of one address at all accounts
SIGN_IN_TRIES_ACCOUNT = env_int("SIGN_IN_TRIES_ACCOUNT", 30, 1, 100_000)  # of all addresses at one account
# Mails that somebody who is not signed in can have sent: to one address an hour, and by one address an hour.
ACCOUNT_MAILS_TO = env_int("ACCOUNT_MAILS_TO", 4, 1, 1000)
ACCOUNT_MAILS_BY = env_int("ACCOUNT_MAILS_BY", 100, 1, 100_000)
API_TOKEN_DAYS = env_int("API_TOKEN_DAYS", 90, 1, 3650)
# Downloads of what is kept of an account: where they lie, and for how long.
OWN_DATA_DIR = Path(env_str("OWN_DATA_DIR", str(LOCAL_DIR / "own-data")))
OWN_DATA_DAYS = env_int("OWN_DATA_DAYS", 7, 1, 60)
if any(overlap(OWN_DATA_DIR, other) for other in (RECORDINGS_DIR, WINDOW_DIR, MEDIA_ROOT)):
    raise refuse("OWN_DATA_DIR", str(OWN_DATA_DIR), "a folder apart from RECORDINGS_DIR, WINDOW_DIR and MEDIA_ROOT")
# Staff: how long a second step is valid, and after how long without a request it is needed again.
STAFF_SECOND_STEP_MINUTES = env_int("STAFF_SECOND_STEP_MINUTES", 720, 1, 7 * 24 * 60)
STAFF_IDLE_MINUTES = env_int("STAFF_IDLE_MINUTES", 30, 1, 24 * 60)
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
# Passkeys need a secure context: https, or this very machine.
PASSKEYS = HTTPS or _HOST == "localhost"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", *(["webauthn"] if PASSKEYS else [])]
MFA_PASSKEY_LOGIN_ENABLED = PASSKEYS
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PASSKEYS and not HTTPS
MFA_ALLOW_UNVERIFIED_EMAIL = True  # else nobody with a second step could change the address
MFA_ADAPTER = "people.accounts.mfa.MFAAdapter"
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # a code is good for half a minute longer on both sides: clocks differ

# --- language and time ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("nl", _("Dutch"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = USE_TZ = USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "UTC"

# --- mail ----------------------------------------------------------------------------------------------------------
MAIL_FOLDER = Path(env_str("MAIL_FOLDER", str(LOCAL_DIR / "mail")))
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "Stamtafel <stamtafel@localhost>")
# With a mail server: written down first and sent by the worker, with retries (mail/outbox.py). Without: /dev/mail/.
OUTBOX_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_TIMEOUT = 20  # seconds
EMAIL_BACKEND = (
    "mail.outbox.Backend" if env_str("EMAIL_HOST", "") else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = MAIL_FOLDER
EMAIL_HOST = env_str("EMAIL_HOST", "")
EMAIL_PORT = env_int("EMAIL_PORT", 587, 1, 65535)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", True)

# --- who runs this site: /contact/ and /privacy/ -------------------------------------------------------------------
OPERATOR_NAME = env_str("OPERATOR_NAME")  # of the person or organisation
CONTACT_EMAIL = env_email("CONTACT_EMAIL", parseaddr(DEFAULT_FROM_EMAIL)[1])
# The operator's own words in place of ours, by language: `/etc/stamtafel/privacy.{language}.txt`.
PRIVACY_TEXTS = env_texts("PRIVACY_FILE", [code for code, _name in LANGUAGES])
CONTACT_TEXTS = env_texts("CONTACT_FILE", [code for code, _name in LANGUAGES])

# --- rooms ---------------------------------------------------------------------------------------------------------
ROOM_MAX_SPEAKERS = env_int("ROOM_MAX_SPEAKERS", 10, 1, 10)
ROOM_HOST_GRACE_SECONDS = env_int("ROOM_HOST_GRACE_SECONDS", 120, 5, 3600)
# With a co-host on stage, a room whose host stays away this long is handed to the co-host instead of ending.
ROOM_HAND_OVER_SECONDS = env_int("ROOM_HAND_OVER_SECONDS", 120, 5, 3600)
# A speaker whose connection stays away this long gives the place back, and a listener the place in the queue of hands.
ROOM_SPEAKER_GRACE_SECONDS = env_int("ROOM_SPEAKER_GRACE_SECONDS", 60, 5, 3600)
# Most hands that are up in a room at once. Each that goes down tells everybody behind it their new place.
ROOM_MAX_HANDS = env_int("ROOM_MAX_HANDS", 200, 1, 1000)
# Invitations to speak, and personal links, that are open in a room at once; invitations to listen of one person in one.
ROOM_OPEN_INVITATIONS = env_int("ROOM_OPEN_INVITATIONS", 50, 1, 1000)
ROOM_INVITATIONS_OF_HOST = env_int("ROOM_INVITATIONS_OF_HOST", 1000, 1, 100_000)
ROOM_INVITATIONS_OF_GUEST = env_int("ROOM_INVITATIONS_OF_GUEST", 20, 0, 1000)
ROOM_EMPTY_STAGE_SECONDS = env_int("ROOM_EMPTY_STAGE_SECONDS", 300, 5, 24 * 3600)
# A new version whenever the text of templates/pages/consent_text.html changes: people are then asked again. One that
# names publication also goes into rooms/rules/publishing.py.
CONSENT_VERSION = "2026-12"
MESSAGES_DAYS = env_int("MESSAGES_DAYS", 365, 1, 3650)  # a direct message, unless both sides delete it before
# 30 days for review, 90 once a violation was found: people must have time to appeal (x 24 h from the end, UTC).
RECORDING_DAYS = env_int("RECORDING_DAYS", 30, 1, 365)
RECORDING_DAYS_VIOLATION = env_int("RECORDING_DAYS_VIOLATION", 90, RECORDING_DAYS, 3650)
# An open appeal keeps the copy to this day at most; it is then decided on the record.
APPEAL_HOLD_DAYS = env_int("APPEAL_HOLD_DAYS", 180, RECORDING_DAYS_VIOLATION, 3650)
APPEAL_DUE_DAYS = env_int("APPEAL_DUE_DAYS", 14, 1, 365)  # an appeal is decided within; after that seniors are told
# Words of reports: six months, in which what followed can be contested (Digital Services Act, article 20).
REPORT_WORDS_DAYS = env_int("REPORT_WORDS_DAYS", 183, 1, 3650)
# Never early, and at most this late: twice the time between two sweeps, unless there is a reason for more.
RETENTION_SWEEP_SECONDS = env_int("RETENTION_SWEEP_SECONDS", 300, 10, 3600)
RETENTION_TOLERANCE_SECONDS = env_int(
    "RETENTION_TOLERANCE_SECONDS", max(900, 2 * RETENTION_SWEEP_SECONDS), RETENTION_SWEEP_SECONDS, 24 * 3600
)

# --- ledger ---------------------------------------------------------------------------------------------------------
# Seals the entries. Not in the database, and not to be lost: without it nothing that was recorded can be checked.
_WRITE = "32 random characters or more, and keep them"
LEDGER_KEY = env_str("LEDGER_KEY", check=lambda key: len(key) >= 32, write=_WRITE) or env_required("LEDGER_KEY", _WRITE)
# Heads of the ledger, receipts of purges, and what people were told, kept outside of the database. Back it up on its
# own, or ship it away.
OUTSIDE_DIR = Path(env_str("OUTSIDE_DIR", str(LOCAL_DIR / "outside")))
LEDGER_ANCHORS = OUTSIDE_DIR / "ledger-anchors.jsonl"
RECEIPTS_DIR, TOLD_DIR, SENT_MAILS_DIR = (OUTSIDE_DIR / name for name in ("receipts", "told", "mails"))

# --- sound ---------------------------------------------------------------------------------------------------------
JANUS_WS_URL = env_url("JANUS_WS_URL", "ws://127.0.0.1:8188", ("ws", "wss"))
JANUS_API_SECRET = env_str("JANUS_API_SECRET", "")
JANUS_ADMIN_KEY = env_str("JANUS_ADMIN_KEY", "")
MEDIA_NEAR_LISTENERS = env_int("MEDIA_NEAR_LISTENERS", 300, 0, 100_000)
# Ports on loopback where ffmpeg takes in the mixes: four a room.
MEDIA_RTP_PORTS = env_ports("MEDIA_RTP_PORTS", (22_000, 22_999), 4)
# ICE: STUN servers and TURN with time-limited credentials (coturn's use-auth-secret).
STUN_URLS = env_list("STUN_URLS", [])
TURN_URLS = env_list("TURN_URLS", [])
TURN_SECRET = env_str("TURN_SECRET", "")
TURN_SECONDS = env_int("TURN_SECONDS", 6 * 3600, 60, 24 * 3600)

# --- speech --------------------------------------------------------------------------------------------------------
WHISPER_MODEL = env_str("WHISPER_MODEL", "base")
WHISPER_MODEL_DIR = Path(env_str("WHISPER_MODEL_DIR", str(Path.home() / ".cache" / "stamtafel" / "whisper")))
# Half the machine: the other half is for live sound.
WHISPER_THREADS = env_int("WHISPER_THREADS", max(1, (os.cpu_count() or 2) // 2), 1, 256)
# Live captions: people who are heard at the same time, on a core each.
CAPTIONS_THREADS = env_int("CAPTIONS_THREADS", 2, 1, 64)
# Lease of a window: a worker without a heartbeat for so long counts as dead, and another takes its window.
SPEECH_LEASE_SECONDS = env_int("SPEECH_LEASE_SECONDS", 60, 1, 3600)
# No 30 seconds of speech may take longer than this.
SPEECH_WINDOW_SECONDS = env_int("SPEECH_WINDOW_SECONDS", 180, 5, 3600)

# --- work in the background ----------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
# A message is acknowledged when its task begins, so a task that is cut off is not begun again by the broker: beat asks
# again for all there is to do, and every task may run twice. What a killed worker had only fetched (one message a
# process) comes back after the visibility timeout, which is longer than any task may take.
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": REDIS_PREFIX, "visibility_timeout": 4 * 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_IMPORTS = ("rooms.recording.tasks",)
CELERY_BEAT_SCHEDULE = beat_schedule(RETENTION_SWEEP_SECONDS)

# --- health --------------------------------------------------------------------------------------------------------
# Key that monitoring sends as X-Readyz-Key to get details from /readyz; everybody else gets only states.
READYZ_KEY = env_str("READYZ_KEY", check=lambda key: len(key) >= 16, write="16 random characters or more")

# --- safe by default -----------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
# With the prefix a browser takes it from this very host alone, over https.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
SESSION_COOKIE_AGE = env_int("SESSION_DAYS", 30, 1, 365) * 24 * 3600  # with “stay signed in”; else until it closes
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# How long a browser that was here by HTTPS refuses to come by HTTP. Not for a name of this machine alone: browsers
# would hold it against every other program on localhost.
_LOCAL_NAME = (
    _HOST in ("localhost", "")
    or _HOST.endswith((".localhost", ".local"))
    or ":" in _HOST
    or _HOST.replace(".", "").isdigit()
)
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 365 * 24 * 3600 if HTTPS and not _LOCAL_NAME else 0, 0, 730 * 24 * 3600)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"their_mistake": {"()": "config.logs.NoTracebackForRefusals"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["their_mistake"]}},
    "root": {"handlers": ["console"], "level": env_str("LOG_LEVEL", "INFO")},
    "loggers": {"aioice": {"level": "WARNING"}, "aiortc": {"level": "WARNING"}},
}

# What is the same in every installation, and limits of one client.
from config.fixed import *  # noqa: E402, F403
from config.limits import *  # noqa: E402, F403  (after the environment file was read)
