-- Pauses the next batch of mentors whose required certificate has lapsed, from after p_after in order of id.
--
-- Set-wise; only where the batch fails as a whole, mentor by mentor, so that one bad row is named in the run's failures and the
-- rest go on. Goes through the same trigger as every other change. Mentors paused or inactive already are skipped, those that
-- somebody else holds are left for the next run. Locks: mentors in order of id. Answers the last id looked at; null at the end.
create function peerpause.expire_batch(p_run_id uuid, p_chapter_ids uuid[], p_after uuid, p_limit integer)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lapsed uuid[];
  v_active uuid[];
  v_last uuid;
  v_mentor_id uuid;
  v_paused integer := 0;
  v_failures jsonb := '[]';
begin
  select
    array_agg(l.mentor_id order by l.mentor_id),
    array_agg(l.mentor_id order by l.mentor_id) filter (where l.status = 'active')
  into v_lapsed, v_active
  from peerpause.lapsed_mentors(p_chapter_ids, p_after, p_limit) as l;
  if v_lapsed is null then
    return null;
  end if;
  v_last := v_lapsed[array_upper(v_lapsed, 1)];

  perform set_config('peerpause.change', jsonb_build_object('actor_id', null, 'job_run_id', p_run_id)::text, true);
  begin
    with held as (
      select p.id
      from public.peer_mentors as p
      where p.id = any(v_active) and p.status = 'active'
      order by p.id
      for update skip locked
    )
    update public.peer_mentors as p
    set status = 'paused', pause_reason = 'certification_expired'
    from held as h
    where p.id = h.id;
    get diagnostics v_paused = row_count;
  exception
    when others then
      v_paused := 0;
      foreach v_mentor_id in array v_active loop
        begin
          update public.peer_mentors as p
          set status = 'paused', pause_reason = 'certification_expired'
          where p.id = v_mentor_id and p.status = 'active';
          if found then
            v_paused := v_paused + 1;
          end if;
        exception
          when others then
            raise warning 'certificate check could not pause mentor % (SQLSTATE %)', v_mentor_id, sqlstate;
            v_failures := v_failures || jsonb_build_object('mentor_id', v_mentor_id, 'sqlstate', sqlstate);
        end;
      end loop;
  end;
  perform set_config('peerpause.change', '', true);

  update public.job_runs as j
  set
    heartbeat_at = clock_timestamp(),
    queried = j.queried + cardinality(v_lapsed),
    paused = j.paused + v_paused,
    skipped = j.skipped + cardinality(v_lapsed) - v_paused - jsonb_array_length(v_failures),
    errors = j.errors + jsonb_array_length(v_failures),
    failures = case when jsonb_array_length(j.failures) < 1000 then j.failures || v_failures else j.failures end
  where j.id = p_run_id;
  return v_last;
end
$$;
