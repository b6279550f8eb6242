-- A mentor's status as it stands, with the change that led to it and the pause that is planned, if there is one.
-- PT404 where there is no such mentor among those the caller may see; row security decides. That somebody else's note was read is
-- recorded; where nothing can be written, the note stays out (peerpause.notes_of).
create function public.get_mentor_status(p_mentor_id uuid)
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
