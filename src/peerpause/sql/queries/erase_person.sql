-- Erases a person, or says what that would do. Parameters: person_id (of a user or a mentor), organisation_id (null: everywhere), apply.
select e.answer
from public.erase_person(
  p_person_id => %(person_id)s::uuid, p_organisation_id => %(organisation_id)s::uuid, p_apply => %(apply)s::boolean
) as e (answer)
