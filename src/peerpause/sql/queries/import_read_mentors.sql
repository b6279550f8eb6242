-- The mentors that files name, as pairs of organisation and code; `ids` holds the codes that are ids, null for the others.
with wanted as (
  select
    w.organisation_id,
    w.key,
    w.id
  from unnest(%(organisation_ids)s::uuid[], %(keys)s::text[], %(ids)s::uuid[]) as w (organisation_id, key, id)
)

select
  m.organisation_id,
  w.key,
  m.id,
  m.user_id,
  m.display_name,
  m.first_name,
  m.status
from wanted as w
inner join public.peer_mentors as m on m.organisation_id = w.organisation_id and m.external_id = w.key
union all
select
  m.organisation_id,
  w.key,
  m.id,
  m.user_id,
  m.display_name,
  m.first_name,
  m.status
from wanted as w
inner join public.peer_mentors as m
  on m.organisation_id = w.organisation_id and m.id = w.id and m.external_id is null
