"""The way to PostgreSQL: sessions in the right role, error mapping, migrations, the embedded server."""
