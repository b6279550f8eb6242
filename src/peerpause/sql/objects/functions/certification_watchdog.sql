-- The latest nightly run (02:00 UTC) that has had its half hour by p_now: by then everybody who had lapsed must be off the list.
create function peerpause.last_due_run(p_now timestamptz)
returns timestamptz
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (date_trunc('day', (p_now at time zone 'UTC') - interval '2 hours 30 minutes') + interval '2 hours') at time zone 'UTC';
end
$$;

-- What is wrong right now, one row for each organisation and code; organisation_id is null for what concerns all of them.
--
-- expired_but_active: lapsed before the last nightly run was due, lapsed still, and active. run_missing: no full run has succeeded
-- since then. run_failed: the last full run failed. run_stuck: a run is going for more than 30 minutes, or has been silent for 5.
-- outbox_stuck: changes or notices untold, or deliveries overdue, for 15 minutes.
create function peerpause.watchdog_problems()
returns table (organisation_id uuid, code text, facts jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_due constant timestamptz := peerpause.last_due_run(peerpause.clock());
  v_last_success timestamptz;
  v_last public.job_runs;
begin
  return query
  select
    l.organisation_id, 'expired_but_active',
    jsonb_build_object('mentors', count(*), 'mentor_ids', to_jsonb((array_agg(l.mentor_id order by l.mentor_id))[1:100]))
  from peerpause.lapsed_mentors_at(v_due) as l
  where
    l.status = 'active'
    and exists (select from peerpause.lapsed_mentors_at(v_now) as n where n.mentor_id = l.mentor_id)
  group by l.organisation_id;

  select max(j.finished_at) into v_last_success
  from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'succeeded';
  if coalesce(v_last_success, '-infinity') < v_due then
    return query select null::uuid, 'run_missing', jsonb_build_object('last_success_at', v_last_success, 'due_at', v_due);
  end if;

  select * into v_last from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null
  order by j.started_at desc
  limit 1;
  if v_last.status = 'failed' then
    return query select null::uuid, 'run_failed', jsonb_build_object('job_id', v_last.id, 'error_code', v_last.error_code);
  end if;

  return query
  select null::uuid, 'run_stuck', jsonb_build_object('job_id', j.id, 'started_at', j.started_at)
  from public.job_runs as j
  where
    j.job = 'certification_expiry'
    and j.status = 'running'
    and (j.started_at < v_now - interval '30 minutes' or j.heartbeat_at < v_now - interval '5 minutes')
  limit 1;

  return query
  select w.organisation_id, 'outbox_stuck', jsonb_build_object('waiting', sum(w.waiting))
  from (
    select h.organisation_id, count(*) as waiting
    from public.peer_mentor_status_history as h
    where h.told_at is null and h.changed_at < v_now - interval '15 minutes'
    group by h.organisation_id
    union all
    select n.organisation_id, count(*)
    from public.mentor_notices as n
    where n.told_at is null and n.cancelled_at is null and n.created_at < v_now - interval '15 minutes'
    group by n.organisation_id
    union all
    select d.organisation_id, count(*)
    from public.notification_deliveries as d
    where d.state = 'pending' and d.not_before < v_now - interval '15 minutes'
    group by d.organisation_id
  ) as w
  group by w.organisation_id;
end
$$;

-- Is the compliance promise kept, and does anyone watch over it? For the service role, and for admins about their organisations.
--
-- Answers {ok, checked_at, expired_but_active, last_success_at, problems: [{code, ...}]}, one problem for each code that
-- peerpause.watchdog_problems found, with its facts; counts are summed over organisations. Changes nothing. 42501: not an admin.
create function peerpause.certification_watchdog()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_service constant boolean := peerpause.caller_is_service();
  v_problems jsonb;
begin
  if not v_service and peerpause.my_organisations() = '{}' then
    raise exception 'the watchdog is for admins' using errcode = '42501', hint = 'Sign in as an admin of an organisation.';
  end if;
  with seen as materialized (
    select w.organisation_id, w.code, w.facts
    from peerpause.watchdog_problems() as w
    where v_service or w.organisation_id is null or w.organisation_id = any(peerpause.my_organisations())
  ),

  found as (
    select s.code, jsonb_build_object('code', s.code) || s.facts as problem
    from seen as s
    where s.organisation_id is null
    union all
    select
      s.code,
      case s.code
        when 'expired_but_active' then
          jsonb_build_object(
            'code', s.code,
            'mentors', sum((s.facts ->> 'mentors')::bigint),
            'mentor_ids', jsonb_path_query_array(jsonb_agg(s.facts -> 'mentor_ids'), '$[*][*]')
          )
        else jsonb_build_object('code', s.code, 'waiting', sum((s.facts ->> 'waiting')::bigint))
      end
    from seen as s
    where s.organisation_id is not null
    group by s.code
  )

  select coalesce(jsonb_agg(f.problem order by f.code), '[]'::jsonb) into v_problems from found as f;
  return jsonb_build_object(
    'ok', v_problems = '[]'::jsonb,
    'checked_at', clock_timestamp(),
    'expired_but_active',
    coalesce(jsonb_path_query_first(v_problems, '$[*] ? (@.code == "expired_but_active").mentors'), to_jsonb(0)),
    'last_success_at',
    (
      select max(j.finished_at) from public.job_runs as j
      where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'succeeded'
    ),
    'problems', v_problems
  );
end
$$;

create function public.certification_watchdog()
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.certification_watchdog();
end
$$;
