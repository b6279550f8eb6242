"""Tests of the room for certificates."""
