"""Who asks: tokens and keys become a caller of the database. What a caller may do is decided there, not here."""
