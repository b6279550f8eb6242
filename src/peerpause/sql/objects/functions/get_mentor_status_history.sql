-- A mentor's history, newest first, at most p_limit rows (1 to 500) from before p_before: page on with the last changed_at.
-- PT404 where there is no such mentor among those the caller may see; row security decides. 22023: a limit out of range.
-- That the history of somebody else was read is recorded; where nothing can be written, it comes without notes (peerpause.notes_of).
create function public.get_mentor_status_history(
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
