-- People who become coordinators of a chapter.
insert into public.coordinator_roles (organisation_id, chapter_id, user_id, active)
select
  r.organisation_id,
  r.place_id,
  r.user_id,
  r.active
from jsonb_to_recordset(%(rows)s::jsonb) as r (organisation_id uuid, place_id uuid, user_id uuid, active boolean)
on conflict do nothing
