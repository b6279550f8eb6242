-- Links a provider's subject to the one person with this address, at their first sign-in. The provider must have verified the address.
--
-- Answers the person and `linked`; or no person and why not: `unknown`, nobody has the address; `several` have it; `taken`, the
-- person is known to this provider under another subject, so that whoever inherits an address inherits nobody's account.
-- Refuses nothing. Locks: the person's row, against a second first sign-in at the same moment.
create function peerpause.link_sign_in(p_issuer text, p_subject text, p_email text)
returns table (user_id uuid, outcome text)
language plpgsql
rows 1
set search_path = pg_catalog, pg_temp
as $$
declare
  v_people uuid[];
begin
  select array_agg(p.user_id) into v_people
  from public.people as p
  where lower(p.email) = lower(p_email);
  if v_people is null then
    return query select null::uuid, 'unknown';
    return;
  end if;
  if cardinality(v_people) > 1 then
    return query select null::uuid, 'several';
    return;
  end if;
  perform from public.people as p where p.user_id = v_people[1] for update;
  insert into peerpause.sign_in_identities (issuer, subject, user_id, linked_by)
  select p_issuer, p_subject, v_people[1], 'email'
  where not exists (
    select from peerpause.sign_in_identities as i where i.issuer = p_issuer and i.user_id = v_people[1]
  )
  on conflict do nothing;
  return query
  select i.user_id, 'linked'
  from peerpause.sign_in_identities as i
  where i.issuer = p_issuer and i.subject = p_subject and i.user_id = v_people[1];
  if not found then
    return query select null::uuid, 'taken';
  end if;
end
$$;
