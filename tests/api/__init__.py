"""The HTTP API as its callers meet it: a real server, a real database, real tokens."""
