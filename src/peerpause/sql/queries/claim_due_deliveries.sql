-- Takes deliveries that are due, person by person, for as long as the lease lasts: a sender that dies lets them come due again.
--
-- Whoever takes one delivery of a person takes all that are due to them on this channel, so that a summary is never torn apart; a lock
-- on (channel, person) keeps other senders away meanwhile, and a person they hold is left for the next look. The changes of a run
-- wait until the run has ended and all of them are fanned out, and then go together. A push that comes due in somebody's quiet
-- hours is not taken but moved to their end.
-- Parameters: channel, at_most (how many due deliveries choose the people), lease (seconds), history_id (null: any change).
-- Answers what is needed to word and address each: payload, language, devices as [{token, kind}], e-mail address, and when the
-- person was sent something in the last minute (now, for what is under way).
with open_runs as materialized (
  select r.id
  from public.job_runs as r
  where r.status = 'running' and r.heartbeat_at > statement_timestamp() - interval '5 minutes'
  union
  select h.job_run_id
  from public.peer_mentor_status_history as h
  where h.told_at is null and h.job_run_id is not null
),

seen as materialized (
  select d.recipient_id
  from public.notification_deliveries as d
  where
    d.state = 'pending' and d.channel = %(channel)s and d.not_before <= statement_timestamp()
    and (%(history_id)s::uuid is null or d.history_id = %(history_id)s::uuid)
    and (d.job_run_id is null or d.about_self or d.job_run_id not in (select r.id from open_runs as r))
  order by d.not_before
  limit %(at_most)s
),

wanted as materialized (
  select distinct s.recipient_id
  from seen as s
),

chosen as materialized (
  select w.recipient_id
  from wanted as w
  where pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', 'peerpause.deliver', %(channel)s::text, w.recipient_id), 0))
),

due as materialized (
  select
    d.organisation_id,
    d.id,
    o.language,
    o.role_word,
    o.push_detail,
    case
      when d.channel <> 'push' then statement_timestamp()
      else peerpause.after_quiet_hours(statement_timestamp(), p.quiet_from, p.quiet_until, coalesce(p.time_zone, o.time_zone))
    end as welcome_at
  from chosen as c
  inner join public.notification_deliveries as d on d.recipient_id = c.recipient_id
  inner join public.organisations as o on o.id = d.organisation_id
  left join public.people as p on p.user_id = d.recipient_id
  where
    d.state = 'pending' and d.channel = %(channel)s
    and (%(history_id)s::uuid is null or d.history_id = %(history_id)s::uuid)
    and (d.job_run_id is null or d.about_self or d.job_run_id not in (select r.id from open_runs as r))
    -- What is left of a run goes along early: its moments differ by the milliseconds of the fan-out.
    and (d.not_before <= statement_timestamp() or (d.attempts = 0 and d.job_run_id is not null and not d.about_self))
  for update of d skip locked
),

taken as (
  update public.notification_deliveries as d
  set
    not_before = case
      when due.welcome_at > statement_timestamp() then due.welcome_at
      else clock_timestamp() + make_interval(secs => %(lease)s)
    end,
    attempts = d.attempts + (due.welcome_at <= statement_timestamp())::integer
  from due
  where d.organisation_id = due.organisation_id and d.id = due.id
  returning d.*, due.language, due.role_word, due.push_detail, due.welcome_at
),

devices as materialized (
  select
    v.user_id,
    jsonb_agg(jsonb_build_object('token', v.token, 'kind', v.kind) order by v.last_seen_at desc, v.token) as devices
  from chosen as c
  inner join public.device_tokens as v on v.user_id = c.recipient_id
  where v.retired_at is null and %(channel)s = 'push'
  group by v.user_id
),

-- One moment for each push, however many changes it summed up.
recent as materialized (
  select w.recipient_id, array_agg(w.sent_at order by w.sent_at) as recently_sent
  from (
    select s.recipient_id, max(coalesce(s.settled_at, statement_timestamp())) as sent_at
    from (
      select s.*
      from chosen as c
      inner join public.notification_deliveries as s on s.recipient_id = c.recipient_id
      where s.state = 'sent' and s.channel = 'push' and s.settled_at > statement_timestamp() - interval '1 minute'
      union all
      select s.*
      from chosen as c
      inner join public.notification_deliveries as s on s.recipient_id = c.recipient_id
      where
        s.state = 'pending' and s.channel = 'push' and s.attempts > 0 and s.outcome is null
        and s.not_before > statement_timestamp()
    ) as s
    group by s.recipient_id, coalesce(s.summary_id, s.id)
  ) as w
  where %(channel)s = 'push'
  group by w.recipient_id
)

select
  t.id, t.organisation_id, t.history_id, t.mentor_id, t.recipient_id, t.channel, t.event, t.about_self, t.attempts,
  t.changed_at, t.first_tried_at, t.job_run_id, t.summary_id, clock_timestamp() as taken_at,
  n.payload,
  coalesce(p.language, t.language) as language,
  t.role_word,
  t.push_detail = 'minimal' as minimal,
  p.email,
  v.devices,
  r.recently_sent
from taken as t
inner join lateral (
  select c.payload
  from public.notifications as c
  where c.history_id = t.history_id and c.recipient_id = t.recipient_id
  union all
  select c.payload
  from public.notifications as c
  where c.notice_id = t.notice_id and c.recipient_id = t.recipient_id
) as n on true
left join public.people as p on p.user_id = t.recipient_id
left join devices as v on v.user_id = t.recipient_id
left join recent as r on r.recipient_id = t.recipient_id
where t.welcome_at <= statement_timestamp()
order by t.changed_at, t.id
