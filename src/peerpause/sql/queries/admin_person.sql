-- One person of an organisation, by the id of a user or of a mentor without an account, with their latest row as a mentor, if any.
-- Parameters: organisation_id, person_id.
select
  n.user_id as person_id,
  n.display_name,
  (
    select p.id
    from public.peer_mentors as p
    where p.organisation_id = %(organisation_id)s::uuid and p.user_id = n.user_id
    order by p.updated_at desc
    limit 1
  ) as mentor_id
from peerpause.names_in_organisation(%(organisation_id)s::uuid, array[%(person_id)s::uuid]) as n
union all
select p.id, p.display_name, p.id
from public.peer_mentors as p
where p.organisation_id = %(organisation_id)s::uuid and p.id = %(person_id)s::uuid and p.user_id is null
