-- The certificate check: pauses every active mentor whose required certificate has lapsed.
--
-- The service role checks everyone, or the chapters it names; a coordinator their own chapters; an admin the organisation's.
-- Answers {job_id, status, queried, paused, skipped, errors, duration_ms}; status is already_running where another run is at it.
-- Running it twice changes nothing the second time. 42501: a chapter that is not the caller's, or nobody is signed in.
create function peerpause.run_certification_expiry(p_chapter_ids uuid[])
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_service constant boolean := peerpause.caller_is_service();
  v_chapter_ids uuid[] := p_chapter_ids;
  v_own_chapter_ids uuid[];
  v_chapter_id uuid;
  v_run public.job_runs;
  v_last uuid;
begin
  if not v_service then
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

  if not pg_try_advisory_xact_lock(hashtextextended('peerpause.certification_expiry', 0)) then
    return jsonb_build_object('job_id', null, 'status', 'already_running', 'queried', 0, 'paused', 0, 'skipped', 0, 'errors', 0, 'duration_ms', 0);
  end if;
  insert into public.job_runs (job, started_by, chapter_ids)
  values ('certification_expiry', peerpause.caller(), v_chapter_ids)
  returning * into v_run;
  loop
    v_last := peerpause.expire_batch(v_run.id, v_chapter_ids, v_last, 5000);
    exit when v_last is null;
  end loop;
  return peerpause.finish_job_run(v_run.id);
end
$$;

create function public.run_certification_expiry(p_chapter_ids uuid[] default null)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.run_certification_expiry(p_chapter_ids);
end
$$;
