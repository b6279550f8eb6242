-- The watchdog tells no open pages.
create or replace function peerpause.watch_certificates()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_opened uuid[];
  v_cleared uuid[];
begin
  perform pg_advisory_xact_lock(hashtextextended('peerpause.watchdog', 0));
  with concerned as materialized (
    select distinct o.id as organisation_id, w.code, w.facts - 'mentor_ids' as facts
    from peerpause.watchdog_problems() as w
    inner join public.organisations as o
      on o.id = w.organisation_id or (w.organisation_id is null and o.required_certification_kinds <> '{}')
  ),

  opened as (
    insert into public.watchdog_incidents (organisation_id, code, facts)
    select c.organisation_id, c.code, c.facts
    from concerned as c
    on conflict (organisation_id, code) where cleared_at is null do nothing
    returning id
  ),

  cleared as (
    update public.watchdog_incidents as i
    set cleared_at = clock_timestamp()
    where
      i.cleared_at is null
      and not exists (select from concerned as c where c.organisation_id = i.organisation_id and c.code = i.code)
    returning i.id
  )

  select array(select o.id from opened as o), array(select c.id from cleared as c)
  into v_opened, v_cleared;

  insert into public.notifications (organisation_id, recipient_id, incident_id, event, payload)
  select
    i.organisation_id, a.user_id, i.id, e.event,
    jsonb_build_object(
      'event', e.event,
      'code', i.code,
      'organisation_id', i.organisation_id,
      'incident_id', i.id,
      'opened_at', to_char(i.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
      'cleared_at', to_char(i.cleared_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
      'mentors', i.facts -> 'mentors'
    )
  from public.watchdog_incidents as i
  inner join public.organisation_admins as a on a.organisation_id = i.organisation_id and a.active
  cross join lateral (select case when i.cleared_at is null then 'watchdog_alert' else 'watchdog_clear' end as event) as e
  where i.id = any(v_opened || v_cleared)
  on conflict (incident_id, recipient_id, event) do nothing;

  return peerpause.certification_watchdog() || jsonb_build_object(
    'opened', peerpause.incidents_in_short(v_opened), 'cleared', peerpause.incidents_in_short(v_cleared)
  );
end
$$;
