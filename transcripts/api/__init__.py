"""The transcript of a room for programs: one view an operation, under /api/v1/."""
