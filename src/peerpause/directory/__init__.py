"""Organisations, chapters and people: how they come in, and which devices they carry."""
