"""Promises about the way to PostgreSQL: migrations, sessions, permissions, the embedded server."""
