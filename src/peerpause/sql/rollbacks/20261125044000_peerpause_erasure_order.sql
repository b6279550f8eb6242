-- Takes back what the twin of the same name changed.
-- Takes away what belongs to no one organisation: the entry in the directory, the devices, the sign-ins. Within one organisation that happens
-- only where the person has no part in another. Answers a tally by table.
create or replace function peerpause.erase_account(p_user_id uuid, p_everywhere boolean, p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_counts jsonb := '{}';
  v_count bigint;
begin
  if p_everywhere then
    delete from peerpause.global_admins as g where g.user_id = p_user_id;
    get diagnostics v_count = row_count;
    v_counts := jsonb_build_object('global_admins', v_count);
  elsif peerpause.has_a_part(p_user_id, null) then
    return v_counts;
  end if;
  update public.job_runs as j
  set started_by = p_pseudonym
  where j.organisation_id is null and j.started_by = p_user_id;
  update peerpause.erasures as e
  set requested_by = p_pseudonym
  where e.organisation_id is null and e.requested_by = p_user_id;
  delete from public.device_tokens as d where d.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('device_tokens', v_count);
  delete from peerpause.web_sessions as w where w.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('web_sessions', v_count);
  delete from peerpause.sign_in_identities as i where i.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('sign_in_identities', v_count);
  delete from public.people as u where u.user_id = p_user_id;
  get diagnostics v_count = row_count;
  return peerpause.summed(v_counts, jsonb_build_object('people', v_count));
end
$$;

-- Takes a user out of everything they did, held and were told in one organisation. Answers a tally by table.
create or replace function peerpause.erase_user(p_organisation_id uuid, p_user_id uuid, p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_counts jsonb;
  v_count bigint;
begin
  if p_user_id is null then
    return '{}';
  end if;
  v_counts := jsonb_build_object('records', peerpause.clear_person(p_organisation_id, p_user_id, p_pseudonym, 'erasure'));

  delete from public.coordinator_roles as r where r.organisation_id = p_organisation_id and r.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('coordinator_roles', v_count);
  delete from public.organisation_admins as a where a.organisation_id = p_organisation_id and a.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('organisation_admins', v_count);
  delete from public.idempotency_keys as k where k.organisation_id = p_organisation_id and k.caller = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('idempotency_keys', v_count);

  delete from public.notifications as n where n.organisation_id = p_organisation_id and n.recipient_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('notifications', v_count);
  update public.notifications as n
  set payload = n.payload || jsonb_build_object('actor_id', p_pseudonym)
  where n.organisation_id = p_organisation_id and n.payload ->> 'actor_id' = p_user_id::text;
  update public.mentor_notices as n
  set facts = n.facts || jsonb_build_object('actor_id', p_pseudonym)
  where n.organisation_id = p_organisation_id and n.facts ->> 'actor_id' = p_user_id::text;

  update public.notification_deliveries as d
  set
    recipient_id = p_pseudonym,
    reference = null,
    state = case when d.state = 'pending' then 'skipped' else d.state end,
    outcome = case when d.state = 'pending' then 'opted_out' else d.outcome end,
    settled_at = coalesce(d.settled_at, clock_timestamp())
  where d.organisation_id = p_organisation_id and d.recipient_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('notification_deliveries', v_count);

  update public.scheduled_status_changes as s
  set
    requested_by = case when s.requested_by = p_user_id then p_pseudonym else s.requested_by end,
    settled_by = case when s.settled_by = p_user_id then p_pseudonym else s.settled_by end
  where s.organisation_id = p_organisation_id and p_user_id in (s.requested_by, s.settled_by);
  update public.certifications as c
  set recorded_by = p_pseudonym
  where c.organisation_id = p_organisation_id and c.recorded_by = p_user_id;
  update public.job_runs as j
  set started_by = p_pseudonym
  where j.organisation_id = p_organisation_id and j.started_by = p_user_id;
  update public.webhook_endpoints as w
  set created_by = p_pseudonym
  where w.organisation_id = p_organisation_id and w.created_by = p_user_id;
  update peerpause.inbound_secrets as i
  set created_by = p_pseudonym
  where i.organisation_id = p_organisation_id and i.created_by = p_user_id;
  update peerpause.mentor_reads as r
  set reader_id = p_pseudonym
  where r.organisation_id = p_organisation_id and r.reader_id = p_user_id;
  update peerpause.erasures as e
  set requested_by = p_pseudonym
  where e.organisation_id = p_organisation_id and e.requested_by = p_user_id;
  return peerpause.summed(v_counts, '{}');
end
$$;

-- Takes the person out of their rows as a mentor in one organisation: they leave, their notes and names go. Answers a tally by table.
create or replace function peerpause.erase_mentors(p_organisation_id uuid, p_mentor_ids uuid[], p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor_ids constant uuid[] := array(
    select p.id from public.peer_mentors as p
    where p.organisation_id = p_organisation_id and p.id = any(p_mentor_ids)
    order by p.id for update
  );
  v_word constant text := (
    select case o.language when 'en' then 'Erased person' when 'nn' then 'Sletta person' else 'Slettet person' end
    from public.organisations as o
    where o.id = p_organisation_id
  );
  v_name constant text := v_word || ' ' || left(p_pseudonym::text, 8);
  v_counts jsonb := '{}';
  v_count bigint;
begin
  if cardinality(v_mentor_ids) = 0 then
    return v_counts;
  end if;
  perform peerpause.settle_schedule(m.id, null, 'cancelled') from unnest(v_mentor_ids) as m (id);
  perform peerpause.deactivate_mentor(p.id, 'deactivated', null, null, null)
  from public.peer_mentors as p
  where p.id = any(v_mentor_ids) and p.status <> 'inactive';

  v_counts := jsonb_build_object(
    'notes',
    peerpause.clear_notes(
      p_organisation_id,
      array(
        select h.id from public.peer_mentor_status_history as h where h.mentor_id = any(v_mentor_ids)
        union all
        select r.id from public.certification_renewals as r where r.mentor_id = any(v_mentor_ids)
        union all
        select o.id from public.certification_overrides as o where o.mentor_id = any(v_mentor_ids)
      ),
      'erasure'
    )
  );

  update public.scheduled_status_changes as s
  set note = null
  where s.mentor_id = any(v_mentor_ids) and s.note is not null;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('scheduled_status_changes', v_count);

  update public.mentor_notices as n
  set cancelled_at = clock_timestamp()
  where n.mentor_id = any(v_mentor_ids) and n.told_at is null and n.cancelled_at is null;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('mentor_notices', v_count);

  update public.notifications as n
  set payload = n.payload || jsonb_build_object('display_name', v_name, 'first_name', v_word)
  where
    n.organisation_id = p_organisation_id
    and n.mentor_id = any(v_mentor_ids)
    and n.payload ->> 'display_name' is distinct from v_name;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('notifications', v_count);

  update public.peer_mentors as p
  set
    user_id = case when p.user_id is not null then p_pseudonym end,
    display_name = v_name,
    first_name = v_word,
    external_id = null,
    listed = false,
    languages = '{}',
    presentation = null,
    public_contact = null
  where
    p.id = any(v_mentor_ids)
    and (
      p.display_name <> v_name
      or p.first_name <> v_word
      or p.user_id <> p_pseudonym
      or p.external_id is not null
      or p.listed
      or p.languages <> '{}'
      or p.presentation is not null
      or p.public_contact is not null
    );
  get diagnostics v_count = row_count;
  return peerpause.summed(v_counts, jsonb_build_object('peer_mentors', v_count));
end
$$;

-- Erases under a given pseudonym, or with p_apply false does it and takes it back. The caller has authorised.
create or replace function peerpause.erase_under(
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
  v_counts jsonb := '{}';
  v_repeated constant boolean := exists (select from peerpause.erasures as e where e.pseudonym = p_pseudonym);
begin
  begin
    for v_organisation_id in
      select o.id
      from public.organisations as o
      where p_organisation_id is null or o.id = p_organisation_id
      order by o.id
    loop
      -- All records first and the chain last, as the outbox does, so that the two never wait for each other.
      perform from public.peer_mentor_status_history as h
      where h.organisation_id = v_organisation_id and (h.mentor_id = any(p_mentor_ids) or h.changed_by = v_user_id)
      order by h.id
      for update;
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
create or replace function peerpause.erase_person(p_person_id uuid, p_organisation_id uuid, p_apply boolean)
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
