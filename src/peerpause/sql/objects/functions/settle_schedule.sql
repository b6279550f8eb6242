-- Closes the open scheduled pause of a mentor, if there is one. Tells whether there was.
create function peerpause.settle_schedule(p_mentor_id uuid, p_settled_by uuid, p_outcome text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.scheduled_status_changes as s
  set settled_at = clock_timestamp(), settled_by = p_settled_by, outcome = p_outcome
  where s.mentor_id = p_mentor_id and s.settled_at is null;
  return found;
end
$$;
