-- Refuses (42501) whoever is neither an admin of the organisation nor the service role. An organisation that does not exist is
-- refused in the same words.
create function peerpause.authorise_organisation(p_organisation_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    not exists (select from public.organisations as o where o.id = p_organisation_id)
    or not (peerpause.caller_is_service() or p_organisation_id = any(peerpause.my_organisations()))
  then
    raise exception 'this organisation is not yours'
      using errcode = '42501', hint = 'Only an admin of the organisation may do this.';
  end if;
end
$$;
