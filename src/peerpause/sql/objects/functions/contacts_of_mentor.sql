-- Whom a mentor can turn to: the active coordinators of the mentor's chapters, or the organisation's admins where there are none.
-- For those who may change the mentor, so that "ask your coordinator" is a name and an address.
-- PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.contacts_of_mentor(p_mentor_id uuid)
returns table (user_id uuid, display_name text, email text, is_admin boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select c.user_id, p.display_name, p.email, c.is_fallback
  from peerpause.coordinators_of(array[p_mentor_id]) as c
  inner join public.people as p on p.user_id = c.user_id
  order by p.display_name, c.user_id;
end
$$;
