-- The next batch of a run: looks at up to p_limit expired certificates and pauses the mentors they keep from being active.
--
-- Goes organisation by organisation, where the run's row says it has got to. Set-wise; only where a batch fails as a whole, mentor
-- by mentor, so that one bad row is named in the run's failures and the rest go on. Goes through the same trigger as every other
-- change. Mentors paused or inactive already are skipped; those that somebody else holds are left for the next run.
-- The batch that finds nothing left closes the run. A run that was closed meanwhile (its lease had expired) does nothing.
-- Locks: the job's advisory lock, the run's row, then mentors in order of id. Answers what finish_job_run answers, and the
-- batch's own failures.
create function peerpause.expire_batch(p_run_id uuid, p_limit integer)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_nowhere constant uuid := '00000000-0000-0000-0000-000000000000'::uuid;
  v_run public.job_runs;
  v_organisation record;
  v_days date[];
  v_ids uuid[];
  v_lapsed bigint;
  v_active uuid[];
  v_expired_on jsonb;
  v_done jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('peerpause.certification_expiry', 0));
  select * into v_run from public.job_runs as j where j.id = p_run_id for update;
  if v_run.status is distinct from 'running' then
    return peerpause.job_run_report(p_run_id);
  end if;

  for v_organisation in
    select o.id, o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
    from public.organisations as o
    where
      o.required_certification_kinds <> '{}'
      and o.id >= coalesce(v_run.reached_organisation_id, v_nowhere)
      and (
        v_run.chapter_ids is null
        or exists (select from public.chapters as c where c.organisation_id = o.id and c.id = any(v_run.chapter_ids))
      )
    order by o.id
  loop
    select
      array_agg(e.expires_on order by e.expires_on, e.certification_id),
      array_agg(e.certification_id order by e.expires_on, e.certification_id),
      count(*) filter (where e.is_wanted),
      array_agg(e.mentor_id order by e.mentor_id) filter (where e.is_wanted and e.status = 'active'),
      jsonb_object_agg(e.mentor_id, e.expires_on) filter (where e.is_wanted and e.status = 'active')
    into v_days, v_ids, v_lapsed, v_active, v_expired_on
    from (
      select
        x.*,
        x.has_lapsed
        and (
          v_run.chapter_ids is null
          or exists (
            select from public.chapter_memberships as m
            where m.mentor_id = x.mentor_id and m.chapter_id = any(v_run.chapter_ids)
          )
        ) as is_wanted
      from peerpause.expired_certificates(
        v_organisation.id, v_organisation.kinds, v_organisation.today,
        case when v_organisation.id = v_run.reached_organisation_id then v_run.reached_day else '-infinity' end,
        case when v_organisation.id = v_run.reached_organisation_id then v_run.reached_certification_id else v_nowhere end,
        p_limit
      ) as x
    ) as e;
    continue when v_ids is null;

    v_done := peerpause.pause_lapsed(p_run_id, coalesce(v_active, '{}'), v_expired_on);
    update public.job_runs as j
    set
      heartbeat_at = clock_timestamp(),
      visited = j.visited + cardinality(v_ids),
      reached_organisation_id = v_organisation.id,
      reached_day = v_days[cardinality(v_ids)],
      reached_certification_id = v_ids[cardinality(v_ids)],
      queried = j.queried + v_lapsed,
      paused = j.paused + (v_done ->> 'paused')::bigint,
      skipped = j.skipped + v_lapsed - (v_done ->> 'paused')::bigint - jsonb_array_length(v_done -> 'failures'),
      errors = j.errors + jsonb_array_length(v_done -> 'failures'),
      failures = case when jsonb_array_length(j.failures) < 1000 then j.failures || (v_done -> 'failures') else j.failures end
    where j.id = p_run_id;
    return peerpause.job_run_report(p_run_id) || jsonb_build_object('failures', v_done -> 'failures');
  end loop;
  return peerpause.finish_job_run(p_run_id);
end
$$;

-- Pauses these mentors because their certificate lapsed. Answers {paused, failures: [{mentor_id, sqlstate}]}.
-- p_expired_on is {mentor id: last valid day}. Mentors that somebody else holds are passed over. Locks: mentors in order of id.
create function peerpause.pause_lapsed(p_run_id uuid, p_mentor_ids uuid[], p_expired_on jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor_id uuid;
  v_paused integer := 0;
  v_failures jsonb := '[]'::jsonb;
begin
  perform
    set_config('peerpause.change', jsonb_build_object('actor_id', null, 'job_run_id', p_run_id)::text, true),
    set_config('peerpause.lapsed', coalesce(p_expired_on::text, ''), true);
  begin
    with held as (
      select p.id
      from public.peer_mentors as p
      where p.id = any(p_mentor_ids) and p.status = 'active'
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
      foreach v_mentor_id in array p_mentor_ids loop
        begin
          update public.peer_mentors as p
          set status = 'paused', pause_reason = 'certification_expired'
          where p.id = (
            select h.id from public.peer_mentors as h where h.id = v_mentor_id and h.status = 'active' for update skip locked
          );
          if found then
            v_paused := v_paused + 1;
          end if;
        exception
          when others then
            raise warning 'the certificate check could not pause mentor % (SQLSTATE %)', v_mentor_id, sqlstate;
            v_failures := v_failures || jsonb_build_object('mentor_id', v_mentor_id, 'sqlstate', sqlstate);
        end;
      end loop;
  end;
  perform set_config('peerpause.change', '', true), set_config('peerpause.lapsed', '', true);
  return jsonb_build_object('paused', v_paused, 'failures', v_failures);
end
$$;
