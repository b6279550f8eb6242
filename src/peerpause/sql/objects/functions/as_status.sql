-- A mentor's row as clients see it.
create function peerpause.as_status(p_mentor public.peer_mentors)
returns public.peer_mentor_status
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return row(
    p_mentor.id, p_mentor.status, p_mentor.pause_reason, p_mentor.pause_at, p_mentor.reactivated_at, p_mentor.updated_at
  )::public.peer_mentor_status;
end
$$;
