-- Who was erased, by pseudonym, oldest first: in one organisation, for its admins, or with null everywhere, for the service role. Kept
-- apart from the backups, the list is applied again after one was restored. 42501: not yours.
create function peerpause.list_erasures(p_organisation_id uuid)
returns table (pseudonym uuid, organisation_id uuid, mentor_ids uuid[], person_digest text, erased_at timestamptz, counts jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_organisation_id is not null then
    perform peerpause.authorise_organisation(p_organisation_id);
  elsif not peerpause.caller_is_service() then
    raise exception 'everywhere is for the operator alone'
      using errcode = '42501', hint = 'Pass p_organisation_id, one that you administer.';
  end if;
  return query
  select e.pseudonym, e.organisation_id, e.mentor_ids, encode(e.person_digest, 'hex'), e.erased_at, e.counts
  from peerpause.erasures as e
  where p_organisation_id is null or e.organisation_id = p_organisation_id
  order by e.erased_at, e.pseudonym;
end
$$;

create function public.list_erasures(p_organisation_id uuid default null)
returns table (pseudonym uuid, organisation_id uuid, mentor_ids uuid[], person_digest text, erased_at timestamptz, counts jsonb)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select e.* from peerpause.list_erasures(p_organisation_id) as e;
end
$$;

-- Applies one entry of that list to a restored database: finds the person by the ids of their mentor rows and the digest of their user
-- id, and erases them under the same pseudonym. Answers as peerpause.erase_person; mentors and counts say whether anybody was found.
-- For the service role.
create function peerpause.reapply_erasure(
  p_pseudonym uuid,
  p_organisation_id uuid,
  p_mentor_ids uuid[],
  p_person_digest text,
  p_apply boolean
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_digest constant bytea := decode(p_person_digest, 'hex');
  v_user_id uuid;
  v_mentor_ids uuid[];
begin
  select c.user_id
  into v_user_id
  from (
    select u.user_id from public.people as u
    union
    select p.user_id from public.peer_mentors as p
    union
    select r.user_id from public.coordinator_roles as r
    union
    select a.user_id from public.organisation_admins as a
    union
    select d.user_id from public.device_tokens as d
    union
    select h.changed_by from public.peer_mentor_status_history as h
  ) as c
  where peerpause.person_digest(c.user_id) = v_digest;
  v_mentor_ids := array(
    select p.id
    from public.peer_mentors as p
    where
      (p.id = any(p_mentor_ids) or p.user_id = v_user_id)
      and (p_organisation_id is null or p.organisation_id = p_organisation_id)
    order by p.id
  );
  if v_user_id is null and v_mentor_ids = '{}' then
    return jsonb_build_object('pseudonym', p_pseudonym, 'applied', p_apply, 'repeated', false, 'mentors', 0, 'counts', jsonb_build_object());
  end if;
  return peerpause.erase_under(v_user_id, v_mentor_ids, p_organisation_id, p_pseudonym, p_apply);
end
$$;
