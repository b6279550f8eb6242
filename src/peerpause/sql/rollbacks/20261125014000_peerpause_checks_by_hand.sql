-- Takes back what the twin of the same name added.
drop function peerpause.starters_of_runs(uuid[]);
drop function peerpause.recorders_of_mentor(uuid);
drop function peerpause.begin_expiry_run_by_hand(uuid[]);

-- The certificate check as one call: pauses every active mentor whose required certificate has lapsed.
--
-- The service role checks everyone, or the chapters it names; a coordinator their own chapters; an admin the organisation's.
-- Answers {job_id, status, queried, paused, skipped, errors, visited, expected, duration_ms}; status is already_running where
-- another run is at it, failed (with error_code) where it could not go on: then nobody was paused, and the run's row says so.
-- Running it twice changes nothing the second time. 42501: a chapter that is not the caller's, or nobody is signed in.
create or replace function peerpause.run_certification_expiry(p_chapter_ids uuid[])
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_chapter_ids uuid[] := p_chapter_ids;
  v_own_chapter_ids uuid[];
  v_chapter_id uuid;
  v_run_id uuid;
  v_report jsonb;
begin
  if not peerpause.caller_is_service() then
    if (select auth.uid()) is null then
      raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a coordinator or an admin.';
    end if;
    select array_agg(c.id)
    into v_own_chapter_ids
    from public.chapters as c
    where c.id = any(peerpause.my_chapters()) or c.organisation_id = any(peerpause.my_organisations());
    if v_own_chapter_ids is null then
      raise exception 'you coordinate no chapter'
        using errcode = '42501', hint = 'Ask an admin of the organisation to make you a coordinator.';
    end if;
    v_chapter_ids := coalesce(v_chapter_ids, v_own_chapter_ids);
    foreach v_chapter_id in array v_chapter_ids loop
      perform peerpause.authorise_chapter(v_chapter_id);
    end loop;
  end if;

  v_run_id := peerpause.begin_expiry_run(v_chapter_ids);
  if v_run_id is null then
    return jsonb_build_object(
      'job_id', null, 'status', 'already_running', 'queried', 0, 'paused', 0, 'skipped', 0, 'errors', 0,
      'visited', 0, 'expected', 0, 'duration_ms', 0
    );
  end if;
  begin
    loop
      v_report := peerpause.expire_batch(v_run_id, 2000);
      exit when v_report ->> 'status' <> 'running';
    end loop;
  exception
    when others then
      raise warning 'the certificate check % failed (SQLSTATE %)', v_run_id, sqlstate;
      v_report := peerpause.fail_job_run(v_run_id, sqlstate);
  end;
  return v_report;
end
$$;

drop function peerpause.chapters_to_check(uuid[]);
