-- Which chapters some mentors belong to.
select
  m.mentor_id,
  m.chapter_id
from public.chapter_memberships as m
where m.mentor_id = any(%(mentor_ids)s::uuid[])
