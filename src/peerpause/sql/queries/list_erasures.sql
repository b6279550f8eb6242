-- Who was erased, by pseudonym, oldest first. Parameter: organisation_id (null: everywhere).
select e.pseudonym, e.organisation_id, e.mentor_ids, e.person_digest, e.erased_at, e.counts
from public.list_erasures(p_organisation_id => %(organisation_id)s::uuid) as e
