"""Attacks from outside: what each attacker tries, and that nothing comes of it.

Each against processes of its own:

- `test_bad_input`: whoever sends what no client of ours sends, to every address and verb.
- `test_closed_account` (alone): a speaker whose account is closed, signed out or kept off stages, by ear.
- `test_fair_share` (alone): one who takes all that is common; `tests/support/greedy.py` is that client.
- `test_foreign_packets` (alone): another process of the machine that sends packets to every port of sound.
- `test_picture_memory`: uploads that cost memory.

`managed/`, against one site under its real process manager:

- `test_stranger`: signed out, by HTTP: doors of development, mails, the admin, made-up and counted addresses, guesses.
- `test_insider`: signed in, by HTTP: copied cookies, tokens, what is other people's, suspended and without hosting.
- `test_old_sockets`: sockets that outlive the right to them, of other sites and by the hundred, with every verb.
- `test_races`: rights that are used in the moment in which they end, and a web process that dies then.
- `test_local_user`: another user of the machine: folders, processes, ports on loopback.

Elsewhere, beside the code: the database's roles (`tests/ledger/test_roles.py`), ways in (`tests/people`), what a client
of a room can cheat in (`tests/rooms/test_cheats.py`).
"""
