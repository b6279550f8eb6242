-- Notes are read by functions that record it, and by nothing else. `select *` on peer_mentors goes on where an app allowed it before
-- us; elsewhere signed-in people read every column of these tables but the note.

-- The notes of a mentor, by the id of the change or planned pause they belong to, for those who answer for the mentor; nothing for
-- anybody else. Nobody reads the columns themselves, for every reading of somebody else's notes is recorded here: p_what is history,
-- or note for the latest change alone.
--
-- Where nothing can be written (a replica, or PostgREST, which runs stable functions read-only) only the mentor gets notes. Readings by
-- the service role are not recorded: it is no person. Takes no lock that anybody waits for.
create function peerpause.notes_of(p_mentor_id uuid, p_what text default 'history')
returns table (entry_id uuid, note text)
language plpgsql
security definer
rows 5
set search_path = pg_catalog, pg_temp
as $$
declare
  v_caller constant uuid := auth.uid();
  v_latest_id uuid;
  v_latest_note text;
  v_author uuid;
  v_mentor record;
begin
  if p_what = 'note' then
    -- On the way of every change, so whoever wrote the note, or finds none, is let through at once.
    select h.id, h.note, h.changed_by
    into v_latest_id, v_latest_note, v_author
    from public.peer_mentor_status_history as h
    where h.mentor_id = p_mentor_id
    order by h.changed_at desc
    limit 1;
    if v_latest_note is null then
      return;
    end if;
  end if;
  select p.organisation_id, p.user_id into v_mentor from public.peer_mentors as p where p.id = p_mentor_id;
  if not peerpause.caller_is_service() and v_mentor.user_id is distinct from v_caller then
    if
      not v_mentor.organisation_id = any(peerpause.my_organisations())
      and not exists (
        select from public.chapter_memberships as m
        where m.mentor_id = p_mentor_id and m.chapter_id = any(peerpause.my_chapters())
      )
    then
      return;
    end if;
    if p_what <> 'note' or v_author is distinct from v_caller then
      if current_setting('transaction_read_only')::boolean then
        return;
      end if;
      perform peerpause.record_read(v_mentor.organisation_id, p_mentor_id, p_what);
    end if;
  end if;
  if p_what = 'note' then
    return query select v_latest_id, v_latest_note;
    return;
  end if;
  return query
  select h.id, h.note
  from public.peer_mentor_status_history as h
  where h.mentor_id = p_mentor_id and h.note is not null
  union all
  select s.id, s.note
  from public.scheduled_status_changes as s
  where s.organisation_id = v_mentor.organisation_id and s.mentor_id = p_mentor_id and s.note is not null;
end
$$;

-- The notes of a mentor for Supabase's clients, by the id of the change or planned pause: empty for who does not answer for the mentor.
create function public.read_mentor_notes(p_mentor_id uuid)
returns table (entry_id uuid, note text)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select n.entry_id, n.note from peerpause.notes_of(p_mentor_id) as n;
end
$$;

-- A mentor's history, newest first, at most p_limit rows (1 to 500) from before p_before: page on with the last changed_at.
-- PT404 where there is no such mentor among those the caller may see; row security decides. 22023: a limit out of range.
-- That the history of somebody else was read is recorded; where nothing can be written, it comes without notes (peerpause.notes_of).
create or replace function public.get_mentor_status_history(
  p_mentor_id uuid,
  p_limit integer default 50,
  p_before timestamptz default null
)
returns table (
  id uuid,
  mentor_id uuid,
  previous_status public.mentor_status,
  new_status public.mentor_status,
  changed_by uuid,
  changed_at timestamptz,
  reason text,
  note text,
  expected_return_on date,
  certification_expires_at date,
  job_run_id uuid
)
language plpgsql
stable
security invoker
rows 50
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.require_limit(p_limit);
  if not exists (select from public.peer_mentors as p where p.id = p_mentor_id) then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id, and that you may see this mentor.';
  end if;
  return query
  select
    h.id, h.mentor_id, h.previous_status, h.new_status, h.changed_by, h.changed_at,
    h.reason, n.note, h.expected_return_on, h.certification_expires_at, h.job_run_id
  from public.peer_mentor_status_history as h
  left join peerpause.notes_of(p_mentor_id) as n on n.entry_id = h.id
  where h.mentor_id = p_mentor_id and h.changed_at < coalesce(p_before, 'infinity')
  order by h.changed_at desc
  limit p_limit;
end
$$;

-- A mentor's status as it stands, with the change that led to it and the pause that is planned, if there is one.
-- PT404 where there is no such mentor among those the caller may see; row security decides. That somebody else's note was read is
-- recorded; where nothing can be written, the note stays out (peerpause.notes_of).
create or replace function public.get_mentor_status(p_mentor_id uuid)
returns table (
  mentor_id uuid,
  organisation_id uuid,
  display_name text,
  first_name text,
  status public.mentor_status,
  previous_status public.mentor_status,
  changed_at timestamptz,
  changed_by uuid,
  reason text,
  note text,
  pause_reason text,
  paused_at timestamptz,
  expected_return_on date,
  reactivated_at timestamptz,
  updated_at timestamptz,
  scheduled_pause_at timestamptz
)
language plpgsql
stable
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    p.id, p.organisation_id, p.display_name, p.first_name, p.status, h.previous_status,
    coalesce(h.changed_at, p.updated_at), h.changed_by, h.reason,
    (select n.note from peerpause.notes_of(p.id, 'note') as n where n.entry_id = h.id),
    p.pause_reason, p.pause_at, p.expected_return_on, p.reactivated_at, p.updated_at, s.effective_at
  from public.peer_mentors as p
  left join lateral (
    select c.id, c.previous_status, c.changed_at, c.changed_by, c.reason
    from public.peer_mentor_status_history as c
    where c.mentor_id = p.id
    order by c.changed_at desc
    limit 1
  ) as h on true
  left join public.scheduled_status_changes as s on s.mentor_id = p.id and s.settled_at is null
  where p.id = p_mentor_id;
  if not found then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id, and that you may see this mentor.';
  end if;
end
$$;

revoke select on public.peer_mentor_status_history from authenticated;
grant select (
  organisation_id, id, mentor_id, previous_status, new_status, changed_by, changed_at, reason, expected_return_on, certification_expires_at,
  job_run_id, told_at
) on public.peer_mentor_status_history to authenticated;

revoke select on public.scheduled_status_changes from authenticated;
grant select (
  organisation_id, id, mentor_id, new_status, effective_at, reason, expected_return_on, requested_by, requested_at, settled_at, settled_by,
  outcome
) on public.scheduled_status_changes to authenticated;

-- The columns are counted up here, because an app's own table has columns that we do not know.
do $$
begin
  if not exists (
    select from peerpause.adopted_grants as g
    where g.table_name = 'peer_mentors' and g.column_name = '' and g.privilege = 'SELECT' and g.grantee in ('authenticated', 'public')
  ) then
    revoke select on public.peer_mentors from authenticated;
    execute (
      select 'grant select (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ') on public.peer_mentors to authenticated'
      from pg_attribute as a
      where a.attrelid = 'public.peer_mentors'::regclass and a.attnum > 0 and not a.attisdropped and a.attname <> 'pause_note'
    );
  end if;
end
$$;

-- Whoever is signed in may ask for notes; the function gives them to those who answer for the mentor, and records it.
revoke all on function
peerpause.notes_of(uuid, text),
public.read_mentor_notes(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.notes_of(uuid, text),
public.read_mentor_notes(uuid)
to authenticated, service_role;
