-- Turns status changes nobody has been told of into inbox entries and deliveries, the oldest first, in one statement.
--
-- A history row is claimed, fanned out and marked as told in one transaction: a crash leaves all of it undone, and two workers
-- never take the same row. Rows that tell nobody anything (a new mentor, the step out of a pause on the way out) are marked too.
-- Parameters: at_most, base_url (null: links open the app), history_id (only this one, or null for whatever is untold).
-- Answers one row: changes taken, inbox entries and deliveries made, mentors without coordinators, mentors with nobody at all.
-- What is told becomes part of its organisation's audit chain at the same moment.
with claimed as (
  select h.*
  from public.peer_mentor_status_history as h
  where h.told_at is null and (%(history_id)s::uuid is null or h.id = %(history_id)s::uuid)
  order by h.id
  limit %(at_most)s
  for update skip locked
),

news as materialized (
  select
    c.id, c.organisation_id, c.mentor_id, c.previous_status, c.new_status, c.changed_by, c.changed_at, c.reason,
    c.expected_return_on, c.certification_expires_at, c.job_run_id,
    p.user_id as mentor_user_id, coalesce(nullif(btrim(p.display_name), ''), nullif(btrim(p.first_name), ''), '?') as display_name,
    p.first_name,
    case
      when c.new_status = 'paused' and c.reason = 'certification_expired' then 'mentor_paused_certification'
      when c.new_status = 'active' and c.reason = 'certification_renewed' then 'certification_renewed'
      when c.new_status = 'paused' then 'mentor_paused'
      when c.new_status = 'active' then 'mentor_reactivated'
      else 'mentor_deactivated'
    end as event
  from claimed as c
  inner join public.peer_mentors as p on p.id = c.mentor_id
  where c.previous_status is not null and c.reason is distinct from 'resignation_step'
),

coordinators as materialized (
  select o.mentor_id, o.user_id, o.is_fallback
  from peerpause.coordinators_of((select array_agg(distinct n.mentor_id) from news as n)) as o
),

recipients as (
  select n.id as history_id, n.mentor_user_id as recipient_id, true as about_self
  from news as n
  where n.mentor_user_id is not null and n.changed_by is distinct from n.mentor_user_id
  union all
  select n.id, o.user_id, false
  from news as n
  inner join coordinators as o on o.mentor_id = n.mentor_id
  where o.user_id is distinct from n.changed_by and o.user_id is distinct from n.mentor_user_id
),

inbox as (
  insert into public.notifications (organisation_id, recipient_id, mentor_id, history_id, event, about_self, payload)
  select
    n.organisation_id, r.recipient_id, n.mentor_id, n.id, n.event, r.about_self,
    jsonb_build_object(
      'event', n.event,
      'mentor_id', n.mentor_id,
      'organisation_id', n.organisation_id,
      'display_name', n.display_name,
      'first_name', n.first_name,
      'previous_status', n.previous_status,
      'new_status', n.new_status,
      'reason_code', n.reason,
      'actor_id', n.changed_by,
      'timestamp', to_char(n.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
      'deep_link', coalesce(rtrim(%(base_url)s::text, '/') || '/', 'peerpause://') || 'mentors/' || n.mentor_id,
      'history_id', n.id,
      'expected_return_on', n.expected_return_on,
      'certification_expires_on', n.certification_expires_at,
      'pause_starts_on', null
    )
  from recipients as r
  inner join news as n on n.id = r.history_id
  -- The inbox is read by the time of the entry: several changes of one pass keep their order.
  order by n.id
  on conflict (history_id, recipient_id) do nothing
  returning id
),

reachable as materialized (
  select
    u.user_id,
    coalesce(p.push_enabled, true) as push_enabled,
    p.email is not null and (
      p.email_preferred
      or not exists (select from public.device_tokens as d where d.user_id = u.user_id and d.retired_at is null)
    ) as wants_email,
    p.quiet_from,
    p.quiet_until,
    p.time_zone
  from (select distinct r.recipient_id as user_id from recipients as r) as u
  left join public.people as p on p.user_id = u.user_id
),

deliveries as (
  insert into public.notification_deliveries (
    organisation_id, history_id, mentor_id, recipient_id, channel, event, about_self, changed_at, job_run_id,
    not_before, state, outcome, settled_at
  )
  select
    n.organisation_id, n.id, n.mentor_id, r.recipient_id, w.channel, n.event, r.about_self, n.changed_at, n.job_run_id,
    case
      when w.channel <> 'push' then clock_timestamp()
      else peerpause.after_quiet_hours(
        case when n.job_run_id is null then clock_timestamp() else peerpause.bulk_moment(clock_timestamp(), r.recipient_id) end,
        u.quiet_from, u.quiet_until, coalesce(u.time_zone, o.time_zone)
      )
    end,
    case when w.channel = 'push' and not u.push_enabled then 'skipped' else 'pending' end,
    case when w.channel = 'push' and not u.push_enabled then 'opted_out' end,
    case when w.channel = 'push' and not u.push_enabled then clock_timestamp() end
  from recipients as r
  inner join news as n on n.id = r.history_id
  inner join public.organisations as o on o.id = n.organisation_id
  inner join reachable as u on u.user_id = r.recipient_id
  inner join (values ('push'), ('email')) as w (channel) on w.channel = 'push' or u.wants_email
  on conflict (history_id, recipient_id, channel) do nothing
  returning id
),

told as (
  update public.peer_mentor_status_history as h
  set told_at = clock_timestamp()
  from claimed as c
  where h.organisation_id = c.organisation_id and h.id = c.id
  returning h.organisation_id, h.id
),

-- A notification holds 8000 bytes: a hundred pairs of ids fit.
bundles as (
  select string_agg(n.pair, ',') as pairs
  from (select t.organisation_id || ' ' || t.id as pair, (row_number() over (order by t.id) - 1) / 100 as bundle from told as t) as n
  group by n.bundle
)

select
  (select count(*) from told) as changes,
  (select peerpause.chain_rows(array_agg(t.organisation_id), array_agg(t.id), 'history') from told as t) as chained,
  (select count(*) from inbox) as inbox,
  (select count(*) from deliveries) as deliveries,
  (select count(pg_notify('peerpause_told', b.pairs)) from bundles as b) as bundles,
  array(select distinct o.mentor_id from coordinators as o where o.is_fallback) as without_coordinator,
  array(
    select distinct n.mentor_id from news as n where not exists (select from coordinators as o where o.mentor_id = n.mentor_id)
  ) as without_anyone
