-- Whoever is signed in may ask for notes; the function gives them to those who answer for the mentor, and records it.
revoke all on function
peerpause.notes_of(uuid, text),
public.read_mentor_notes(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.notes_of(uuid, text),
public.read_mentor_notes(uuid)
to authenticated, service_role;
