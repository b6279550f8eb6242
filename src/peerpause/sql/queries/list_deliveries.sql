-- The delivery log, the newest first. Parameters: states (null: any), mentor_id (null: any), at_most. Ids and codes only.
select
  d.id, d.organisation_id, d.mentor_id, d.recipient_id, d.channel, d.event, d.state, d.outcome, d.error_code, d.attempts,
  d.changed_at, d.not_before, d.first_tried_at, d.settled_at, d.summary_id, d.reference
from public.notification_deliveries as d
where
  (%(states)s::text[] is null or d.state = any(%(states)s::text[]))
  and (%(mentor_id)s::uuid is null or d.mentor_id = %(mentor_id)s::uuid)
order by d.created_at desc, d.id desc
limit %(at_most)s
