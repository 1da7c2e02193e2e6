"""Signals of this app, for apps above it, which it must not import."""

from django.dispatch import Signal

# What an account may do has changed, and the change is committed. Sent with `user_pk`, `why` (a word for the log) and
# `session` (the ident of the one session that ended; empty where the whole account is concerned).
standing_changed = Signal()

# An account has another name or picture, and the change is committed. Sent with `user_pk`, and `taken_down`: moderators
# removed its name, which is to be read nowhere any more.
profile_changed = Signal()

# An own-data download is ready for the first time, or was given up. Sent with `export` in the transaction that says so.
own_data_settled = Signal()
