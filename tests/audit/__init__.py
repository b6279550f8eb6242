"""The audit that can be checked."""
