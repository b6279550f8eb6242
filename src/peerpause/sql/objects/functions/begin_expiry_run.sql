-- Opens a run of the certificate check, unless there is one already. Null: another run is at it; its row has a fresh heartbeat.
--
-- The row is the lease: one running row at a time, whoever started it (pg_cron, a worker, a command, a coordinator). A running row
-- that has been silent for p_lease died with its process; it is closed as failed, and the new run goes on where mentors are still
-- active. 22023: a chapter that does not exist. Takes the job's advisory lock to the end of the transaction, and never waits for it.
create function peerpause.begin_expiry_run(p_chapter_ids uuid[], p_lease interval default '60 seconds')
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id uuid;
  v_organisation_ids uuid[];
begin
  if not pg_try_advisory_xact_lock(hashtextextended('peerpause.certification_expiry', 0)) then
    return null;
  end if;
  update public.job_runs as j
  set status = 'failed', finished_at = clock_timestamp(), error_code = 'lease_expired'
  where j.job = 'certification_expiry' and j.status = 'running' and j.heartbeat_at < clock_timestamp() - p_lease;
  if exists (select from public.job_runs as j where j.job = 'certification_expiry' and j.status = 'running') then
    return null;
  end if;

  if p_chapter_ids is not null then
    select array_agg(distinct c.organisation_id)
    into v_organisation_ids
    from public.chapters as c
    where c.id = any(p_chapter_ids)
    having count(*) = (select count(distinct i.id) from unnest(p_chapter_ids) as i (id));
    if v_organisation_ids is null then
      raise exception 'no such chapter' using errcode = '22023', hint = 'Check the chapter ids.';
    end if;
  end if;
  insert into public.job_runs (job, organisation_id, started_by, chapter_ids, expected)
  select
    'certification_expiry',
    case when cardinality(v_organisation_ids) = 1 then v_organisation_ids[1] end,
    peerpause.caller(),
    p_chapter_ids,
    (
      select count(*)
      from public.organisations as o
      inner join public.certifications as c on c.organisation_id = o.id and c.expires_on < peerpause.today(o.time_zone)
      where o.required_certification_kinds <> '{}' and (p_chapter_ids is null or o.id = any(v_organisation_ids))
    )
  returning id into v_run_id;
  return v_run_id;
end
$$;
