-- Whether we know a person who could sign in: an entry of the directory, or a global admin. For the service role. Refuses nothing.
create function peerpause.is_in_directory(p_user_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return
    exists (select from public.people as p where p.user_id = p_user_id)
    or exists (select from peerpause.global_admins as g where g.user_id = p_user_id);
end
$$;
