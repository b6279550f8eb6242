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
