-- list_expiry_runs
-- Runs of the certificate check that the caller may see, newest first, or oldest first with oldest_first. Parameters: limit; after and
-- after_id, where the last page ended; and, each null for any: status, by (schedule, hand), since and until.
select
  j.id, j.status, j.started_by, j.chapter_ids, j.started_at, j.finished_at, j.queried, j.paused, j.skipped, j.errors, j.error_code
from public.job_runs as j
where
  j.job = 'certification_expiry'
  and (%(status)s::text is null or j.status = %(status)s::text)
  and (%(by)s::text is null or (j.started_by is null) = (%(by)s::text = 'schedule'))
  and (%(since)s::timestamptz is null or j.started_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or j.started_at < %(until)s::timestamptz)
  and (
    %(after)s::timestamptz is null
    or case
      when %(oldest_first)s::boolean then (j.started_at, j.id) > (%(after)s::timestamptz, %(after_id)s::uuid)
      else (j.started_at, j.id) < (%(after)s::timestamptz, %(after_id)s::uuid)
    end
  )
order by
  case when %(oldest_first)s::boolean then j.started_at end,
  case when %(oldest_first)s::boolean then j.id end,
  j.started_at desc,
  j.id desc
limit %(limit)s
