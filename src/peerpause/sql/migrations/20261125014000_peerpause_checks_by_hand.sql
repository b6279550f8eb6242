-- What the pages on certificates need: a check by hand that can be watched while it runs, and the names of who started or recorded what.

-- 1. Which chapters a caller may have checked, in one place for both ways of checking.
-- Which chapters a caller may have checked: for a person those they name, else all they answer for; for the service role what it
-- names, where null is everybody. 42501: a chapter that is not the caller's, no chapter at all, or nobody is signed in.
create function peerpause.chapters_to_check(p_chapter_ids uuid[])
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_own_chapter_ids uuid[];
  v_chapter_id uuid;
begin
  if peerpause.caller_is_service() then
    return p_chapter_ids;
  end if;
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
  foreach v_chapter_id in array coalesce(p_chapter_ids, '{}') loop
    perform peerpause.authorise_chapter(v_chapter_id);
  end loop;
  return coalesce(p_chapter_ids, v_own_chapter_ids);
end
$$;

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
  v_chapter_ids constant uuid[] := peerpause.chapters_to_check(p_chapter_ids);
  v_run_id uuid;
  v_report jsonb;
begin
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

-- 2. A check by hand, a batch at a time.
-- Opens a run of the certificate check by hand; whoever opened it goes on with expire_batch, as the system. Null: another run is at it.
-- 42501: as peerpause.chapters_to_check. 22023: a chapter that does not exist. Locks as peerpause.begin_expiry_run.
create function peerpause.begin_expiry_run_by_hand(p_chapter_ids uuid[])
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.begin_expiry_run(peerpause.chapters_to_check(p_chapter_ids));
end
$$;

-- 3. Names that pages show.
-- The names behind a mentor's certificates, for those who may read them: whoever recorded one, or a renewal.
-- A person who is no longer in the directory has no row. PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.recorders_of_mentor(p_mentor_id uuid)
returns table (user_id uuid, display_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select p.user_id, p.display_name
  from public.people as p
  where p.user_id in (select c.recorded_by from public.certifications as c where c.mentor_id = p_mentor_id);
end
$$;

-- The names of those who started these runs of the certificate check by hand, where the caller may see the run: it is their own, or
-- one in an organisation they administer. Takes no lock.
create function peerpause.starters_of_runs(p_run_ids uuid[])
returns table (run_id uuid, display_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select j.id, p.display_name
  from public.job_runs as j
  inner join public.people as p on p.user_id = j.started_by
  where
    j.id = any(p_run_ids)
    and (
      peerpause.caller_is_service()
      or j.started_by = (select auth.uid())
      or j.organisation_id = any((select peerpause.my_organisations())::uuid[])
    );
end
$$;

-- PostgreSQL opens new functions to everyone.
revoke all on function
peerpause.chapters_to_check(uuid[]),
peerpause.begin_expiry_run_by_hand(uuid[]),
peerpause.recorders_of_mentor(uuid),
peerpause.starters_of_runs(uuid[])
from public, anon, authenticated, service_role;

grant execute on function
peerpause.begin_expiry_run_by_hand(uuid[]),
peerpause.recorders_of_mentor(uuid),
peerpause.starters_of_runs(uuid[])
to authenticated, service_role;
