"""Background work: the Procrastinate app, its tasks and their schedule. Thin; the rooms do the work."""
