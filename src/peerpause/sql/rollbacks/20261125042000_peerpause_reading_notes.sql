-- Takes back what the twin of the same name changed: whoever may see a mentor reads the note by itself again.
-- A mentor's status as it stands, with the change that led to it and the pause that is planned, if there is one.
-- PT404 where there is no such mentor among those the caller may see; row security decides.
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
    coalesce(h.changed_at, p.updated_at), h.changed_by, h.reason, h.note,
    p.pause_reason, p.pause_at, p.expected_return_on, p.reactivated_at, p.updated_at, s.effective_at
  from public.peer_mentors as p
  left join lateral (
    select c.previous_status, c.changed_at, c.changed_by, c.reason, c.note
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

-- A mentor's history, newest first, at most p_limit rows (1 to 500) from before p_before: page on with the last changed_at.
-- PT404 where there is no such mentor among those the caller may see; row security decides. 22023: a limit out of range.
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
    h.reason, h.note, h.expected_return_on, h.certification_expires_at, h.job_run_id
  from public.peer_mentor_status_history as h
  where h.mentor_id = p_mentor_id and h.changed_at < coalesce(p_before, 'infinity')
  order by h.changed_at desc
  limit p_limit;
end
$$;

drop function public.read_mentor_notes(uuid);
drop function peerpause.notes_of(uuid, text);

-- Taking a whole table back takes the columns with it.
do $$
begin
  if not exists (
    select from peerpause.adopted_grants as g
    where g.table_name = 'peer_mentors' and g.column_name = '' and g.privilege = 'SELECT' and g.grantee in ('authenticated', 'public')
  ) then
    revoke select on public.peer_mentors from authenticated;
    grant select on public.peer_mentors to authenticated;
  end if;
end
$$;

revoke select on public.scheduled_status_changes from authenticated;
grant select on public.scheduled_status_changes to authenticated;

revoke select on public.peer_mentor_status_history from authenticated;
grant select on public.peer_mentor_status_history to authenticated;
