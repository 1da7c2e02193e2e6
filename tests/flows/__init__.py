"""Stories of trust and safety that cross the apps: from a report to the clock, with real parts."""
