-- Runs of the certificate check that the reader may see, the newest first, with who started them by hand and which chapters that was
-- for. Parameters: run_id (null: all), limit, skip.
with run as (
  select j.*
  from public.job_runs as j
  where j.job = 'certification_expiry' and (%(run_id)s::uuid is null or j.id = %(run_id)s::uuid)
  order by j.started_at desc
  limit %(limit)s offset %(skip)s
),

starter as (
  select s.run_id, s.display_name
  from peerpause.starters_of_runs(array(select r.id from run as r)) as s
)

select
  r.id as run_id, r.status, r.organisation_id, r.started_by, s.display_name as started_by_name, r.chapter_ids is null as is_full,
  r.started_at, r.finished_at, r.heartbeat_at, r.queried, r.paused, r.skipped, r.errors, r.visited, r.expected, r.error_code, r.failures,
  (
    select coalesce(array_agg(c.name order by c.name), '{}')
    from public.chapters as c
    where c.id = any(r.chapter_ids)
  ) as chapters
from run as r
left join starter as s on s.run_id = r.id
order by r.started_at desc
