"""The rules of the house that a machine can keep: each is checked on the sources, and shown to be able to fail."""
