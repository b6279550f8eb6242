-- Which of the chapters the reader sees would be without an active mentor if these mentors were away, and are not so already.
select
  c.id as chapter_id,
  c.name,
  c.organisation_id
from public.chapters as c
where
  c.id in (select m.chapter_id from public.chapter_memberships as m where m.mentor_id = any(%(mentor_ids)s::uuid[]))
  and exists (
    select
    from public.chapter_memberships as m
    inner join public.peer_mentors as p on p.id = m.mentor_id
    where m.chapter_id = c.id and p.status = 'active' and p.id = any(%(mentor_ids)s::uuid[])
  )
  and not exists (
    select
    from public.chapter_memberships as m
    inner join public.peer_mentors as p on p.id = m.mentor_id
    where m.chapter_id = c.id and p.status = 'active' and not p.id = any(%(mentor_ids)s::uuid[])
  )
order by c.name, c.id
