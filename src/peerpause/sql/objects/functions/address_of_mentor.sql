-- The mentor's own address, for those who answer for the mentor; no row for a mentor without an account or an address.
-- PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.address_of_mentor(p_mentor_id uuid)
returns table (email text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select p.email
  from public.peer_mentors as m
  inner join public.people as p on p.user_id = m.user_id
  where m.id = p_mentor_id and p.email is not null;
end
$$;
