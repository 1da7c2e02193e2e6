"""Limits on one client's use of shared resources: settings, imported by `config/settings.py`.

Signed-in people count by person, everybody else by address (`core/client_address.py`). The defaults admit 500 listeners
behind one address (a school, an office) and leave the rest of the site to others.
"""

from config.env import env_int as _int

# --- connections, in each web process (config/patience.py) ----------------------------------------------------------
CONNECTIONS_PER_ADDRESS = _int("CONNECTIONS_PER_ADDRESS", 4000, 10, 100_000)  # 500 browsers with eight each
HEAD_SECONDS = _int("HEAD_SECONDS", 15, 1, 300)  # for all of a request's head
IDLE_SECONDS = _int("IDLE_SECONDS", 30, 1, 3600)  # between two requests of a connection
BODY_MOST_BYTES = _int("BODY_MOST_BYTES", 8 * 2**20, 2**16)  # a picture is 5 MB at most
# Slower than that over so many seconds, up or down, and the connection is cut. A download goes on where it stopped.
SLOWEST_BYTES = _int("SLOWEST_BYTES", 2000, 1, 1_000_000)  # a second
SLOWEST_SECONDS = _int("SLOWEST_SECONDS", 60, 1, 3600)
ANSWER_LONGEST_SECONDS = _int("ANSWER_LONGEST_SECONDS", 6 * 3600, 10, 7 * 24 * 3600)
# --- requests (config/fair.py, people/pace.py) ----------------------------------------------------------------------
# Running at once, in each web process: fewer than there are database connections (12). The others queue.
REQUESTS_AT_ONCE = _int("REQUESTS_AT_ONCE", 3, 1, 1000)
REQUESTS_WAITING = _int("REQUESTS_WAITING", 3000, 1, 100_000)
PAGES_PER_PERSON = _int("PAGES_PER_PERSON", 600, 1, 1_000_000)  # a minute, and at once
PAGES_PER_ADDRESS = _int("PAGES_PER_ADDRESS", 6000, 1, 1_000_000)  # the same, signed out: 500 who come in at once
HLS_PER_ADDRESS = _int("HLS_PER_ADDRESS", 90_000, 1, 10_000_000)  # a minute: 500 with two requests a second
SIGNUPS_PER_ADDRESS = _int("SIGNUPS_PER_ADDRESS", 60, 1, 100_000)  # an hour
PICTURES_AT_ONCE = _int("PICTURES_AT_ONCE", 1, 1, 100)  # uploads of one person
REPORTS_PER_ADDRESS = _int("REPORTS_PER_ADDRESS", 300, 1, 100_000)  # at once, and every 10 minutes: a full hall
REPORTS_SIGNED_OUT_PER_ADDRESS = _int("REPORTS_SIGNED_OUT_PER_ADDRESS", 20, 1, 100_000)  # the same
OWN_DATA_A_DAY = _int("OWN_DATA_A_DAY", 3, 1, 1000)  # downloads of the own data that a person may ask for in a day
# --- downloads (rooms/recording/delivery/downloads.py) --------------------------------------------------------------
DOWNLOADS_PER_PERSON = _int("DOWNLOADS_PER_PERSON", 10, 1, 10_000)  # at once
DOWNLOADS_PER_ADDRESS = _int("DOWNLOADS_PER_ADDRESS", 600, 1, 100_000)  # at once, signed out: players of a replay
# --- sockets (rooms/live/doorway.py) --------------------------------------------------------------------------------
SOCKETS_PER_PERSON = _int("SOCKETS_PER_PERSON", 20, 1, 10_000)  # open at once
PAGE_SOCKETS_PER_PERSON = _int("PAGE_SOCKETS_PER_PERSON", 40, 1, 10_000)  # of pages outside of rooms: open tabs
SOCKETS_PER_ADDRESS = _int("SOCKETS_PER_ADDRESS", 600, 1, 100_000)  # open at once, signed out
SOCKETS_NEW_PER_ADDRESS = _int("SOCKETS_NEW_PER_ADDRESS", 1200, 1, 1_000_000)  # a minute, at once; of pages too
ROOM_OVER_SECONDS = _int("ROOM_OVER_SECONDS", 20, 1, 3600)  # for pages of a room that is over to leave by themselves
HANDSHAKES_AT_ONCE = _int("HANDSHAKES_AT_ONCE", 6, 1, 1000)  # of one address, at work in each web process
HANDSHAKES_WAITING = _int("HANDSHAKES_WAITING", 600, 1, 100_000)  # of one address, not finished
# What all sockets of one client say to a web process: 500 who come in say 7,500 things at once, and little afterwards.
FRAMES_AT_ONCE = _int("FRAMES_AT_ONCE", 9000, 100, 10_000_000)
FRAMES_PER_CLIENT = _int("FRAMES_PER_CLIENT", 3000, 100, 10_000_000)  # a minute
VERBS_AT_ONCE = _int("VERBS_AT_ONCE", 4, 1, 1000)  # that ask the database, at work in each web process
VERBS_WAITING = _int("VERBS_WAITING", 3000, 1, 100_000)
REACTIONS_PER_ADDRESS = _int("REACTIONS_PER_ADDRESS", 6000, 1, 1_000_000)  # a minute, signed out
# --- sound (rooms/media/supervisor/fairness.py) ---------------------------------------------------------------------
MEDIA_NEAR_PER_PERSON = _int("MEDIA_NEAR_PER_PERSON", 2, 1, 100_000)
MEDIA_NEAR_PER_ADDRESS = _int("MEDIA_NEAR_PER_ADDRESS", 200, 1, 100_000)  # signed out
MEDIA_CHECKS = _int("MEDIA_CHECKS", 40, 1, 10_000)  # microphone checks at once; one a person
MEDIA_CHECKS_PER_ADDRESS = _int("MEDIA_CHECKS_PER_ADDRESS", 10, 1, 10_000)
MEDIA_ICE_SECONDS = _int("MEDIA_ICE_SECONDS", 10, 3, 300)  # for a connection to come about
