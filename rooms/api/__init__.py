"""The same actions as the pages and sockets, for programs: one view an operation, under /api/v1/."""
