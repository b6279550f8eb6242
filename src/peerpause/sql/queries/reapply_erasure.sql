-- Erases again whom a restored backup brought back. Parameters: an entry of the list of erasures, and apply.
select e.answer
from peerpause.reapply_erasure(
  p_pseudonym => %(pseudonym)s::uuid,
  p_organisation_id => %(organisation_id)s::uuid,
  p_mentor_ids => %(mentor_ids)s::uuid[],
  p_person_digest => %(person_digest)s::text,
  p_apply => %(apply)s::boolean
) as e (answer)
