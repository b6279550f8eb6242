"""The demo, started as a newcomer starts it."""
