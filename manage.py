#!/usr/bin/env python3
"""Django's command line for Stamtafel."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["migrate"]:
        from config.env import load_file, local_folder

        load_file(local_folder() / "migrations.env")  # written by script/server; no other process gets to know it
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
