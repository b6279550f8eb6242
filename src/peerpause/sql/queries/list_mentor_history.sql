-- list_mentor_history
-- A mentor's changes, newest first, or oldest first with oldest_first; row security sees to who sees them. Parameters: mentor_id, limit;
-- after and after_id, where the last page ended; and, each null for any: new_status, reason, by (system, people), since and until.
select
  h.id,
  h.mentor_id,
  h.previous_status,
  h.new_status,
  h.changed_by,
  h.changed_at,
  h.reason,
  n.note,
  h.expected_return_on,
  h.certification_expires_at,
  h.job_run_id
from public.peer_mentor_status_history as h
left join peerpause.notes_of(%(mentor_id)s::uuid) as n on n.entry_id = h.id
where
  h.mentor_id = %(mentor_id)s::uuid
  and (%(new_status)s::text is null or h.new_status::text = %(new_status)s::text)
  and (%(reason)s::text is null or h.reason = %(reason)s::text)
  and (%(by)s::text is null or (h.changed_by is null) = (%(by)s::text = 'system'))
  and (%(since)s::timestamptz is null or h.changed_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or h.changed_at < %(until)s::timestamptz)
  and (
    %(after)s::timestamptz is null
    or case
      when %(oldest_first)s::boolean then (h.changed_at, h.id) > (%(after)s::timestamptz, %(after_id)s::uuid)
      else (h.changed_at, h.id) < (%(after)s::timestamptz, %(after_id)s::uuid)
    end
  )
order by
  case when %(oldest_first)s::boolean then h.changed_at end,
  case when %(oldest_first)s::boolean then h.id end,
  h.changed_at desc,
  h.id desc
limit %(limit)s
