-- People of an organisation by name or address, those without an account too: person_id is the id of a user, or else of a mentor.
-- Parameters: organisation_id, search, pattern.
select o.user_id as person_id, o.display_name, o.email
from peerpause.list_people_of_organisation(%(organisation_id)s::uuid, %(search)s::text, 20, null, null) as o
union all
select p.id, p.display_name, null
from (
  select m.id, m.display_name
  from public.peer_mentors as m
  where
    m.organisation_id = %(organisation_id)s::uuid and m.user_id is null and m.display_name ilike %(pattern)s::text
  order by m.display_name, m.id
  limit 20
) as p
order by display_name, person_id
