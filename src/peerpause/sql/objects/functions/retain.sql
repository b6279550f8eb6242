-- Lets go of what one organisation has kept long enough, at most p_limit of each kind (null: all), or with p_apply false only counts
-- it. Answers {notes, planned_notes, deliveries, inbox, notices, runs, incidents, reads}, without those of which there are none.
-- Notes leave the history by the audit chain (peerpause.clear_notes). Locks what it lets go, and the end of the organisation's chain.
create function peerpause.retain(p_organisation_id uuid, p_limit integer, p_apply boolean)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_rules record;
  v_notes uuid[];
  v_planned uuid[];
  v_deliveries uuid[];
  v_inbox uuid[];
  v_notices uuid[];
  v_runs uuid[];
  v_incidents uuid[];
  v_reads bigint;
begin
  select r.* into v_rules from peerpause.get_retention(p_organisation_id) as r;
  v_notes := array(
    select h.id
    from public.peer_mentor_status_history as h
    where
      h.organisation_id = p_organisation_id
      and h.note is not null
      and h.changed_at < v_now - make_interval(months => v_rules.notes_months)
      and not exists (
        select from public.peer_mentors as p
        where p.id = h.mentor_id and p.status = 'paused' and p.pause_note is not null and h.new_status = 'paused'
        and not exists (
          select from public.peer_mentor_status_history as later where later.mentor_id = h.mentor_id and later.changed_at > h.changed_at
        )
      )
    union all
    select r.id
    from public.certification_renewals as r
    where
      r.organisation_id = p_organisation_id
      and r.note is not null
      and r.recorded_at < v_now - make_interval(months => v_rules.notes_months)
    limit p_limit
  );
  v_planned := array(
    select s.id
    from public.scheduled_status_changes as s
    where
      s.organisation_id = p_organisation_id
      and s.note is not null
      and s.settled_at < v_now - make_interval(months => v_rules.notes_months)
    limit p_limit
  );
  v_deliveries := array(
    select d.id
    from public.notification_deliveries as d
    where
      d.organisation_id = p_organisation_id
      and d.state <> 'pending'
      and d.settled_at < v_now - make_interval(days => v_rules.deliveries_days)
    limit p_limit
  );
  v_inbox := array(
    select n.id
    from public.notifications as n
    where n.organisation_id = p_organisation_id and n.created_at < v_now - make_interval(days => v_rules.inbox_days)
    limit p_limit
  );
  v_notices := array(
    select n.id
    from public.mentor_notices as n
    where
      n.organisation_id = p_organisation_id
      and coalesce(n.told_at, n.cancelled_at) < v_now - make_interval(days => v_rules.deliveries_days)
      and not exists (
        select from public.notification_deliveries as d where d.organisation_id = n.organisation_id and d.notice_id = n.id
      )
      and not exists (select from public.notifications as i where i.organisation_id = n.organisation_id and i.notice_id = n.id)
    limit p_limit
  );
  v_runs := array(
    select j.id
    from public.job_runs as j
    where j.organisation_id = p_organisation_id and j.finished_at < v_now - make_interval(days => v_rules.runs_days)
    limit p_limit
  );
  v_incidents := array(
    select w.id
    from public.watchdog_incidents as w
    where
      w.organisation_id = p_organisation_id
      and w.cleared_at < v_now - make_interval(days => v_rules.runs_days)
      and not exists (select from public.notifications as i where i.organisation_id = w.organisation_id and i.incident_id = w.id)
    limit p_limit
  );
  if p_apply then
    perform peerpause.clear_notes(p_organisation_id, v_notes, 'retention');
    update public.scheduled_status_changes as s
    set note = null
    where s.organisation_id = p_organisation_id and s.id = any(v_planned);
    delete from public.notification_deliveries as d where d.organisation_id = p_organisation_id and d.id = any(v_deliveries);
    delete from public.notifications as n where n.organisation_id = p_organisation_id and n.id = any(v_inbox);
    delete from public.mentor_notices as n where n.organisation_id = p_organisation_id and n.id = any(v_notices);
    delete from public.job_runs as j where j.id = any(v_runs);
    delete from public.watchdog_incidents as w where w.organisation_id = p_organisation_id and w.id = any(v_incidents);
    delete from peerpause.mentor_reads as r
    where r.organisation_id = p_organisation_id and r.hour < v_now - make_interval(days => v_rules.reads_days);
    get diagnostics v_reads = row_count;
  else
    select count(*)
    into v_reads
    from peerpause.mentor_reads as r
    where r.organisation_id = p_organisation_id and r.hour < v_now - make_interval(days => v_rules.reads_days);
  end if;
  return peerpause.summed(
    jsonb_build_object(
      'notes', cardinality(v_notes),
      'planned_notes', cardinality(v_planned),
      'deliveries', cardinality(v_deliveries),
      'inbox', cardinality(v_inbox),
      'notices', cardinality(v_notices),
      'runs', cardinality(v_runs),
      'incidents', cardinality(v_incidents),
      'reads', v_reads
    ),
    '{}'
  );
end
$$;

-- Lets go of what belongs to no one organisation: runs over all of them after two years, and devices that were given up, or not seen
-- for 270 days (Google's own limit). Answers {runs, devices}, without those of which there are none.
create function peerpause.retain_shared(p_apply boolean)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_runs uuid[];
  v_devices text[];
begin
  v_runs := array(
    select j.id from public.job_runs as j where j.organisation_id is null and j.finished_at < v_now - interval '730 days'
  );
  v_devices := array(
    select d.token from public.device_tokens as d where coalesce(d.retired_at, d.last_seen_at) < v_now - interval '270 days'
  );
  if p_apply then
    delete from public.job_runs as j where j.id = any(v_runs);
    delete from public.device_tokens as d where d.token = any(v_devices);
  end if;
  return peerpause.summed(jsonb_build_object('runs', cardinality(v_runs), 'devices', cardinality(v_devices)), '{}');
end
$$;

-- Opens a run of retention for one organisation, or with null for what belongs to none. Null: another run is at it. A run that has
-- been silent for ten minutes died with its process and is closed as failed.
create function peerpause.begin_retention_run(p_organisation_id uuid)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id uuid;
begin
  update public.job_runs as j
  set status = 'failed', finished_at = clock_timestamp(), error_code = 'lease_expired'
  where j.job = 'retention' and j.status = 'running' and j.heartbeat_at < clock_timestamp() - interval '10 minutes';
  insert into public.job_runs (job, organisation_id)
  values ('retention', p_organisation_id)
  on conflict (job) where status = 'running' do nothing
  returning id into v_run_id;
  return v_run_id;
end
$$;

-- One step of a run: lets go of at most p_limit of each kind, adds that to the run's tally, and answers it; {} when there is no more.
create function peerpause.retain_batch(p_run_id uuid, p_limit integer)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id uuid;
  v_counts jsonb;
begin
  select j.organisation_id into v_organisation_id from public.job_runs as j where j.id = p_run_id and j.status = 'running' for update;
  if not found then
    raise exception 'this run is not running' using errcode = '22023', hint = 'Begin another one.';
  end if;
  if v_organisation_id is null then
    v_counts := peerpause.retain_shared(true);
  else
    v_counts := peerpause.retain(v_organisation_id, p_limit, true);
  end if;
  update public.job_runs as j
  set heartbeat_at = clock_timestamp(), tally = peerpause.summed(j.tally, v_counts)
  where j.id = p_run_id;
  return v_counts;
end
$$;
