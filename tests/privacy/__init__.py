"""What people may ask for about themselves, and what is forgotten."""
