-- Is the compliance promise kept, and does anyone watch over it? For the service role, and for admins of any organisation.
--
-- Answers {ok, checked_at, expired_but_active, last_success_at, problems: [{code, ...}]}. Codes: expired_but_active (lapsed mentors
-- still active more than 30 minutes after the last nightly run was due), run_missing (no successful full run for 24.5 hours),
-- run_failed, run_stuck (running for more than 30 minutes without a sign of life), outbox_stuck (changes untold for 15 minutes).
create function peerpause.certification_watchdog()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last public.job_runs;
  v_last_success timestamptz;
  v_active bigint;
  v_untold bigint;
  v_problems jsonb := '[]';
begin
  if not peerpause.caller_is_service() and peerpause.my_organisations() = '{}' then
    raise exception 'the watchdog is for admins' using errcode = '42501', hint = 'Sign in as an admin of an organisation.';
  end if;
  select count(*)
  into v_active
  from peerpause.lapsed_mentors(null, null, null) as l
  inner join public.peer_mentors as p on p.id = l.mentor_id
  where l.status = 'active' and (peerpause.caller_is_service() or p.organisation_id = any(peerpause.my_organisations()));
  select * into v_last from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null
  order by j.started_at desc
  limit 1;
  select max(j.finished_at) into v_last_success from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'succeeded';
  select count(*) into v_untold from public.peer_mentor_status_history as h
  where h.told_at is null and h.changed_at < clock_timestamp() - interval '15 minutes';

  if v_active > 0 then
    v_problems := v_problems || jsonb_build_object('code', 'expired_but_active', 'mentors', v_active);
  end if;
  if coalesce(v_last_success, '-infinity') < peerpause.clock() - interval '24 hours 30 minutes' then
    v_problems := v_problems || jsonb_build_object('code', 'run_missing', 'last_success_at', v_last_success);
  end if;
  if v_last.status = 'failed' then
    v_problems := v_problems || jsonb_build_object('code', 'run_failed', 'job_id', v_last.id);
  end if;
  if v_last.status = 'running' and v_last.heartbeat_at < peerpause.clock() - interval '30 minutes' then
    v_problems := v_problems || jsonb_build_object('code', 'run_stuck', 'job_id', v_last.id);
  end if;
  if v_untold > 0 then
    v_problems := v_problems || jsonb_build_object('code', 'outbox_stuck', 'changes', v_untold);
  end if;
  return jsonb_build_object(
    'ok', v_problems = '[]',
    'checked_at', clock_timestamp(),
    'expired_but_active', v_active,
    'last_success_at', v_last_success,
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
