"""The HTTP face: our own API, and the shapes that clients of a Supabase project know. Thin; the rooms do the work."""
