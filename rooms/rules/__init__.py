"""Rules of a room: `permissions` are pure functions of `Facts`, which `facts` loads from the database."""
