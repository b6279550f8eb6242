-- Runs of the certificate check that the caller may see, newest first. Parameters: limit, before (null: from the newest on).
select
  j.id, j.status, j.started_by, j.chapter_ids, j.started_at, j.finished_at, j.queried, j.paused, j.skipped, j.errors, j.error_code
from public.job_runs as j
where
  j.job = 'certification_expiry'
  and (%(before)s::timestamptz is null or j.started_at < %(before)s::timestamptz)
order by j.started_at desc
limit %(limit)s
