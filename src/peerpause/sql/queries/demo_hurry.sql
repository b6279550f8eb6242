-- Lets the pushes of a run go at once. Parameter: job_run_id. Answers how many coordinators are to get one.
with hurried as (
  update public.notification_deliveries as d
  set not_before = clock_timestamp()
  where d.job_run_id = %(job_run_id)s and d.channel = 'push' and d.state = 'pending'
  returning d.recipient_id, d.about_self
)

select array(select distinct h.recipient_id from hurried as h where not h.about_self) as coordinators
