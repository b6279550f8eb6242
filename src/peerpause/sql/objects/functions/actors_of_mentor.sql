-- The names behind changed_by in a mentor's history, for those who may read that history: whoever changed the mentor's status or
-- the expected return.
-- A person who is no longer in the directory has no row. PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.actors_of_mentor(p_mentor_id uuid)
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
  where p.user_id in (
    select h.changed_by
    from public.peer_mentor_status_history as h
    where h.mentor_id = p_mentor_id
    union all
    select r.changed_by
    from public.expected_return_changes as r
    where r.mentor_id = p_mentor_id
  );
end
$$;
