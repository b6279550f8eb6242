-- Everything kept about a person. Parameters: person_id (of a user or a mentor), organisation_id (null: everywhere).
select e.answer
from public.export_person(p_person_id => %(person_id)s::uuid, p_organisation_id => %(organisation_id)s::uuid) as e (answer)
