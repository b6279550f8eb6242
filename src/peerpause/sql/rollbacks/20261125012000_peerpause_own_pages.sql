-- Takes back what the twin of the same name added. The return dates themselves stay; who moved them when goes.

-- The function as it was.
-- The names behind changed_by in a mentor's history, for those who may read that history: whoever changed the mentor's status.
-- A person who is no longer in the directory has no row. PT404, 42501: as peerpause.authorise. Takes no lock.
create or replace function peerpause.actors_of_mentor(p_mentor_id uuid)
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
  );
end
$$;

drop function peerpause.chapters_of_mentor(uuid);
drop function peerpause.standing_of_mentor(uuid);
drop function public.update_expected_return(uuid, date, timestamptz, text);
drop function peerpause.update_expected_return(uuid, date, timestamptz, text);
drop table public.expected_return_changes;
drop function peerpause.refuse_change_of_return();
