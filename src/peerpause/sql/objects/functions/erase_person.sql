-- Erases a person: afterwards nothing in the database says who they were, and everything that counts still adds up. p_person_id is the
-- id of a user or of a mentor; p_organisation_id limits it to one organisation, null means everywhere.
--
--   1. a mentor who is not inactive leaves first, by the legal steps, and the coordinators are told;
--   2. notes go; where the person did something, a random pseudonym stands; the audit chain records both and still holds;
--   3. names, addresses, devices, roles and the inbox go; names go from other people's inboxes; deliveries keep their counts;
--   4. the erasure is listed by pseudonym, so that it can be applied again after a restore.
--
-- Without p_apply all of it is done and taken back, so that the answer says exactly what would happen: {pseudonym, applied, repeated,
-- mentors, counts}. Erasing again finds what came in since, under the same pseudonym.
-- Admins erase whom they have in their organisation, the service role anybody. 42501: not yours. PT404: no such person there.
-- Locks: the mentors' rows, the records concerned in the order of their ids, then the end of the organisation's audit chain.
create function peerpause.erase_person(p_person_id uuid, p_organisation_id uuid, p_apply boolean)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id uuid;
  v_mentor_ids uuid[];
  v_erasure peerpause.erasures;
begin
  select f.o_user_id, f.o_mentor_ids into v_user_id, v_mentor_ids from peerpause.find_person(p_person_id, p_organisation_id) as f;
  select *
  into v_erasure
  from peerpause.erasures as e
  where
    (e.organisation_id is null or e.organisation_id = p_organisation_id or p_organisation_id is null)
    and (e.mentor_ids && v_mentor_ids or e.pseudonym = v_user_id or e.person_digest = peerpause.person_digest(v_user_id))
  order by e.erased_at
  limit 1;
  -- An erasure everywhere is this organisation's business only if the person was known here.
  if
    p_organisation_id is not null
    and v_erasure.organisation_id is null
    and cardinality(v_mentor_ids) = 0
    and not peerpause.has_recorded(v_erasure.pseudonym, p_organisation_id)
  then
    v_erasure := null;
  end if;
  if v_erasure.pseudonym is null then
    perform peerpause.authorise_person(v_user_id, v_mentor_ids, p_organisation_id);
  elsif p_organisation_id is not null then
    perform peerpause.authorise_organisation(p_organisation_id);
  else
    perform peerpause.authorise_person(v_user_id, v_mentor_ids || v_erasure.mentor_ids || v_erasure.pseudonym, null);
  end if;
  return peerpause.erase_under(
    v_user_id, v_mentor_ids, p_organisation_id, coalesce(v_erasure.pseudonym, gen_random_uuid()), coalesce(p_apply, false)
  );
end
$$;

create function public.erase_person(p_person_id uuid, p_organisation_id uuid default null, p_apply boolean default false)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.erase_person(p_person_id, p_organisation_id, p_apply);
end
$$;

-- By what an erased user is found again in a restored backup.
create function peerpause.person_digest(p_user_id uuid)
returns bytea
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(convert_to('peerpause erasure ' || p_user_id::text, 'UTF8'));
end
$$;

-- Erases under a given pseudonym, or with p_apply false does it and takes it back. The caller has authorised.
create function peerpause.erase_under(
  p_user_id uuid,
  p_mentor_ids uuid[],
  p_organisation_id uuid,
  p_pseudonym uuid,
  p_apply boolean
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant uuid := nullif(p_user_id, p_pseudonym);
  v_organisation_id uuid;
  v_counts jsonb := '{}'::jsonb;
  v_repeated constant boolean := exists (select from peerpause.erasures as e where e.pseudonym = p_pseudonym);
begin
  begin
    -- All records first and the chains last, as the outbox does, so that the two never wait for each other.
    perform from public.peer_mentor_status_history as h
    where
      (p_organisation_id is null or h.organisation_id = p_organisation_id)
      and (h.mentor_id = any(p_mentor_ids) or h.changed_by = v_user_id)
    order by h.id
    for update;
    for v_organisation_id in
      select o.id
      from public.organisations as o
      where p_organisation_id is null or o.id = p_organisation_id
      order by o.id
    loop
      v_counts := peerpause.summed(v_counts, peerpause.erase_mentors(v_organisation_id, p_mentor_ids, p_pseudonym));
      v_counts := peerpause.summed(v_counts, peerpause.erase_user(v_organisation_id, v_user_id, p_pseudonym));
    end loop;
    if v_user_id is not null then
      v_counts := peerpause.summed(v_counts, peerpause.erase_account(v_user_id, p_organisation_id is null, p_pseudonym));
    end if;
    insert into peerpause.erasures (pseudonym, organisation_id, mentor_ids, person_digest, requested_by, counts)
    values (p_pseudonym, p_organisation_id, p_mentor_ids, peerpause.person_digest(v_user_id), peerpause.caller(), v_counts)
    on conflict (pseudonym) do update
    set
      organisation_id = case when excluded.organisation_id is null then null else erasures.organisation_id end,
      mentor_ids = array(select distinct m.id from unnest(erasures.mentor_ids || excluded.mentor_ids) as m (id) order by m.id),
      person_digest = coalesce(erasures.person_digest, excluded.person_digest),
      counts = peerpause.summed(erasures.counts, excluded.counts);
    if not p_apply then
      raise exception 'only to see what would happen' using errcode = 'PT000';
    end if;
  exception
    when sqlstate 'PT000' then
      null;
  end;
  return jsonb_build_object(
    'pseudonym', case when p_apply or v_repeated then p_pseudonym end,
    'applied', p_apply,
    'repeated', v_repeated,
    'mentors', cardinality(p_mentor_ids),
    'counts', v_counts
  );
end
$$;

-- Two tallies in one: {"a": 1} and {"a": 2, "b": 1} are {"a": 3, "b": 1}. What is zero is left out.
create function peerpause.summed(p_one jsonb, p_other jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_object_agg(s.key, s.total), '{}')
    from (
      select t.key, sum(t.value::bigint) as total
      from (select * from jsonb_each_text(p_one) union all select * from jsonb_each_text(p_other)) as t
      group by t.key
      having sum(t.value::bigint) <> 0
    ) as s
  );
end
$$;
