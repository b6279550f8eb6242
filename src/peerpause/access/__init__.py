"""Who may do what, as tried on a running database."""
