-- Rows about made-up people of the kinds that only jobs write. Parameters: mentor_ids, organisation_ids.
with notices as (
  insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on)
  select m.organisation_id, m.id, 'return_near', 'both', current_date
  from public.peer_mentors as m
  where m.id = any(%(mentor_ids)s::uuid[])
),

runs as (
  insert into public.job_runs (organisation_id, job, status, finished_at)
  select o.id, 'retention', 'succeeded', now()
  from unnest(%(organisation_ids)s::uuid[]) as o (id)
),

labels as (
  insert into public.reason_labels (organisation_id, reason, language, label)
  select o.id, 'travel', 'en', 'Away'
  from unnest(%(organisation_ids)s::uuid[]) as o (id)
),

incidents as (
  insert into public.watchdog_incidents (organisation_id, code)
  select o.id, 'outbox_stuck'
  from unnest(%(organisation_ids)s::uuid[]) as o (id)
)

insert into public.webhook_deliveries (organisation_id, endpoint_id, event_id, chapter_id, mentor_id, change)
select e.organisation_id, e.id, gen_random_uuid(), c.chapter_id, c.mentor_id, 'unlisted'
from public.webhook_endpoints as e
inner join public.chapter_memberships as c on c.organisation_id = e.organisation_id
where c.mentor_id = any(%(mentor_ids)s::uuid[])
