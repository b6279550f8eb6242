-- Whom a run of the certificate check paused, of those the reader answers for, by name. Each mentor's history is looked up along its
-- index, within the time of the run. Parameters: whole (organisations), chapters, run_id, started_at, finished_at, limit.
with mine as (
  select p.id as mentor_id
  from public.peer_mentors as p
  where p.organisation_id = any(%(whole)s::uuid[])
  union
  select m.mentor_id
  from public.chapter_memberships as m
  where m.chapter_id = any(%(chapters)s::uuid[])
)

select
  p.id as mentor_id, p.display_name, p.status, h.certification_expires_at as expired_on,
  count(*) over () as total
from mine
inner join public.peer_mentor_status_history as h
  on
    h.mentor_id = mine.mentor_id
    and h.changed_at between %(started_at)s::timestamptz and coalesce(%(finished_at)s::timestamptz, clock_timestamp())
inner join public.peer_mentors as p on p.id = h.mentor_id
where h.job_run_id = %(run_id)s and h.new_status = 'paused'
order by p.display_name, p.id
limit %(limit)s
