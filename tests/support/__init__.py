"""Builders, clients, processes and waits that tests share: see docs/subsystems/tests.md."""
