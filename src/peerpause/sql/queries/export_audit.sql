-- Links of an organisation's audit chain with what they vouch for, from behind a place on. Parameters: organisation_id, after, limit, with_notes.
select
  e.organisation_id, e.place, e.kind, e.entry_id, e.chained_at, e.adopted, e.facts, e.person_id, e.person_salt, e.person_digest,
  e.note, e.note_salt, e.note_digest, e.pseudonym, e.cleared_because, e.hash
from public.export_audit(
  p_organisation_id => %(organisation_id)s::uuid,
  p_after => %(after)s::bigint,
  p_limit => %(limit)s::integer,
  p_with_notes => %(with_notes)s::boolean
) as e
