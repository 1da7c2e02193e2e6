"""The rules of a room: what they go by (`facts`); the rules themselves are in `rooms.rules.permissions`."""
