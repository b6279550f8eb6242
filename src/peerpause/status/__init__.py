"""The heart: a mentor's status, the rules it obeys, and the services that change it."""
