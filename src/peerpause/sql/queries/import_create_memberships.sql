-- Mentors who join a chapter. One who was taken in a moment ago is in already.
insert into public.chapter_memberships (organisation_id, chapter_id, mentor_id)
select
  r.organisation_id,
  r.chapter_id,
  r.mentor_id
from jsonb_to_recordset(%(rows)s::jsonb) as r (organisation_id uuid, chapter_id uuid, mentor_id uuid)
on conflict do nothing
