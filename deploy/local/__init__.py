"""Private PostgreSQL, Redis and Janus of one checkout or one test run, and the process manager of script/server.

Everything lives in one folder (`.local/` or a test run's own) and in one block of ports that no other checkout
on the machine holds at the same time.
"""
