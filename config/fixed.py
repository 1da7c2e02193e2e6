"""Settings that are the same in every installation; imported by `config/settings.py`."""

from csp.constants import NONCE, NONE, SELF

# --- API -----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # The first class decides the status of refusals: 401 for tokens, where sessions would make it 403.
        "people.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.PlainJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": None,
    "EXCEPTION_HANDLER": "core.api.errors.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stamtafel",
    "DESCRIPTION": "Live audio rooms: the same actions as the pages, for programs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "EntryPolicyEnum": "rooms.models.Room.EntryPolicy",
        "SpeakPolicyEnum": "rooms.models.Room.SpeakPolicy",
        "ClipKindEnum": "rooms.models.Clip.Kind",
        "ClipStateEnum": "rooms.models.Clip.State",
    },
}

# --- what pages may load -------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- safe by default -----------------------------------------------------------------------------------------------
CSRF_FAILURE_VIEW = "people.accounts.views.csrf_failed"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

# --- passwords -----------------------------------------------------------------------------------------------------
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "people.accounts.passwords.NotLikeYou",
        "OPTIONS": {"user_attributes": ("handle", "display_name", "email")},
    },
    {"NAME": "people.accounts.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "people.accounts.passwords.NotCommon"},
]

# --- forms of the way in, in place of allauth's ----------------------------------------------------------------------
ACCOUNT_FORMS = {
    "login": "people.accounts.forms.LoginForm",
    "signup": "people.accounts.forms.SignupForm",
    "add_email": "people.accounts.forms.AddEmailForm",
    "change_password": "people.accounts.forms.ChangePasswordForm",
    "set_password": "people.accounts.forms.SetPasswordForm",
    "reset_password": "people.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "people.accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "people.accounts.forms.ReauthenticateForm",
}

# --- second steps ----------------------------------------------------------------------------------------------------
MFA_FORMS = {
    "authenticate": "people.accounts.mfa.AuthenticateForm",
    "reauthenticate": "people.accounts.mfa.ReauthenticateForm",
    "activate_totp": "people.accounts.mfa.ActivateForm",
    "authenticate_webauthn": "people.accounts.mfa.AuthenticatePasskeyForm",
    "reauthenticate_webauthn": "people.accounts.mfa.ReauthenticatePasskeyForm",
    "login_webauthn": "people.accounts.mfa.LoginPasskeyForm",
    "add_webauthn": "people.accounts.mfa.AddPasskeyForm",
    "edit_webauthn": "people.accounts.mfa.EditPasskeyForm",
}

# --- staff -----------------------------------------------------------------------------------------------------------
# The permission that messages to staff need (reports, cases), beside a second step that the session used lately.
STAFF_CHANNEL_PERMISSION = "moderation.view_case"

# --- work in the background: what is where, and how long it may take ---------------------------------------------
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_ROUTES = {
    "rooms.tasks.sweep": {"queue": "clock"},
    "mail.tasks.send_mails": {"queue": "mail"},
    "transcripts.jobs.run": {"queue": "speech"},
}
# Seconds: a task is asked to stop at the first (SoftTimeLimitExceeded) and its process is ended at the second. Each is
# far beyond what the task takes on a busy day. `transcripts.jobs.run` has a lease for each window instead (solo pool).
CELERY_TASK_ANNOTATIONS = {
    name: {"soft_time_limit": soft, "time_limit": hard}
    for name, soft, hard in (
        ("rooms.tasks.sweep", 20, 30),
        ("mail.tasks.send_mails", 180, 240),
        ("people.tasks.tidy", 600, 660),
        ("people.tasks.make_own_data", 3600, 3660),  # hours of own tracks, copied and summed
        ("people.tasks.sweep_own_data", 120, 150),
        ("social.tasks.deliver", 60, 90),
        ("social.tasks.deliver_left", 120, 150),
        ("social.tasks.tidy", 600, 660),
        ("moderation.tasks.erase_words", 600, 660),
        ("moderation.tasks.sweep", 120, 150),
        ("moderation.tasks.send_notification", 60, 90),
        ("ledger.anchor", 60, 90),
        ("transcripts.requeue", 120, 150),
        ("transcripts.tell", 120, 150),
        ("rooms.recording.finishing.finish", 10_000, 10_800),  # ffmpeg over a room of many hours with ten tracks
        ("rooms.recording.prepare", 1800, 1860),
        ("rooms.recording.sweep", 60, 90),
        ("rooms.recording.prepare_left", 60, 90),
        ("rooms.recording.measure_left", 3600, 3660),
        ("rooms.recording.make_clip", 150, 180),  # a minute and a half of sound; its lease is longer
        ("rooms.recording.sweep_clips", 30, 60),
        ("rooms.recording.tidy_clips", 600, 660),
        ("retention.sweep", 3600, 3660),
        ("retention.tidy", 3600, 3660),
    )
}
