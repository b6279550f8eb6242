-- Turns notices nobody has been told of into inbox entries and deliveries, the oldest first, in one statement, as fan_out_changes
-- does with changes. What events have overtaken is cancelled instead. Notices are in no hurry: nobody's phone rings for them at
-- night (21 to 8 o'clock where the recipient is, unless they chose quiet hours of their own), and they are spread over a minute.
-- Parameters: at_most, base_url (null: links open the app).
-- Answers one row: notices taken, inbox entries and deliveries made, mentors without coordinators, mentors with nobody at all.
with claimed as materialized (
  select n.*, peerpause.is_overtaken(n) as overtaken
  from public.mentor_notices as n
  where n.told_at is null and n.cancelled_at is null
  order by n.id
  limit %(at_most)s
  for update skip locked
),

news as materialized (
  select
    c.id, c.organisation_id, c.mentor_id, c.event, c.audience, c.facts, c.batch_id, c.created_at,
    p.status, p.user_id as mentor_user_id,
    coalesce(nullif(btrim(p.display_name), ''), nullif(btrim(p.first_name), ''), '?') as display_name, p.first_name
  from claimed as c
  inner join public.peer_mentors as p on p.id = c.mentor_id
  where not c.overtaken
),

coordinators as materialized (
  select o.mentor_id, o.user_id, o.is_fallback
  from peerpause.coordinators_of(
    (select array_agg(distinct n.mentor_id) from news as n where n.audience in ('coordinators', 'both'))
  ) as o
),

recipients as (
  select n.id as notice_id, n.mentor_user_id as recipient_id, true as about_self
  from news as n
  where n.mentor_user_id is not null and n.audience in ('mentor', 'both')
  union all
  select n.id, o.user_id, false
  from news as n
  inner join coordinators as o on o.mentor_id = n.mentor_id
  where n.audience in ('coordinators', 'both') and o.user_id is distinct from n.mentor_user_id
),

inbox as (
  insert into public.notifications (organisation_id, recipient_id, mentor_id, notice_id, event, about_self, payload)
  select
    n.organisation_id, r.recipient_id, n.mentor_id, n.id, n.event, r.about_self,
    jsonb_build_object(
      'event', n.event,
      'mentor_id', n.mentor_id,
      'organisation_id', n.organisation_id,
      'display_name', n.display_name,
      'first_name', n.first_name,
      'previous_status', n.status,
      'new_status', n.status,
      'reason_code', n.facts -> 'reason_code',
      'actor_id', n.facts -> 'actor_id',
      'timestamp', to_char(n.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
      'deep_link', coalesce(rtrim(%(base_url)s::text, '/') || '/', 'peerpause://') || 'mentors/' || n.mentor_id,
      'history_id', null,
      'expected_return_on', n.facts -> 'expected_return_on',
      'certification_expires_on', n.facts -> 'certification_expires_on',
      'pause_starts_on', n.facts -> 'pause_starts_on'
    )
  from recipients as r
  inner join news as n on n.id = r.notice_id
  on conflict (notice_id, recipient_id) do nothing
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
    coalesce(p.quiet_from, '21:00'::time) as quiet_from,
    coalesce(p.quiet_until, '08:00'::time) as quiet_until,
    p.time_zone
  from (select distinct r.recipient_id as user_id from recipients as r) as u
  left join public.people as p on p.user_id = u.user_id
),

deliveries as (
  insert into public.notification_deliveries (
    organisation_id, notice_id, mentor_id, recipient_id, channel, event, about_self, changed_at, job_run_id,
    not_before, state, outcome, settled_at
  )
  select
    n.organisation_id, n.id, n.mentor_id, r.recipient_id, w.channel, n.event, r.about_self, n.created_at, n.batch_id,
    case
      when w.channel <> 'push' then clock_timestamp()
      else peerpause.bulk_moment(
        peerpause.after_quiet_hours(clock_timestamp(), u.quiet_from, u.quiet_until, coalesce(u.time_zone, o.time_zone)), r.recipient_id
      )
    end,
    case when w.channel = 'push' and not u.push_enabled then 'skipped' else 'pending' end,
    case when w.channel = 'push' and not u.push_enabled then 'opted_out' end,
    case when w.channel = 'push' and not u.push_enabled then clock_timestamp() end
  from recipients as r
  inner join news as n on n.id = r.notice_id
  inner join public.organisations as o on o.id = n.organisation_id
  inner join reachable as u on u.user_id = r.recipient_id
  inner join (values ('push'), ('email')) as w (channel) on w.channel = 'push' or u.wants_email
  on conflict (notice_id, recipient_id, channel) do nothing
  returning id
),

told as (
  update public.mentor_notices as n
  set
    told_at = case when not c.overtaken then clock_timestamp() end,
    cancelled_at = case when c.overtaken then clock_timestamp() end
  from claimed as c
  where n.organisation_id = c.organisation_id and n.id = c.id
  returning n.organisation_id, n.id
),

-- Open pages hear of it, as they do of changes. A notification holds 8000 bytes: a hundred pairs of ids fit.
bundles as (
  select string_agg(p.pair, ',') as pairs
  from (select t.organisation_id || ' ' || t.id as pair, (row_number() over (order by t.id) - 1) / 100 as bundle from told as t) as p
  group by p.bundle
)

select
  (select count(*) from told) as notices,
  (select count(*) from inbox) as inbox,
  (select count(*) from deliveries) as deliveries,
  (select count(pg_notify('peerpause_told', b.pairs)) from bundles as b) as bundles,
  array(select distinct o.mentor_id from coordinators as o where o.is_fallback) as without_coordinator,
  array(
    select distinct n.mentor_id
    from news as n
    where n.audience <> 'mentor' and not exists (select from coordinators as o where o.mentor_id = n.mentor_id)
  ) as without_anyone
