-- Adds a link for everything that is to be cleared: the chain says so first, and only then do the append-only triggers let it go.
-- Entries from which the same was cleared before are left out. Locks the end of the organisation's chain.
create function peerpause.chain_clearings(p_organisation_id uuid, p_ids uuid[], p_kind text, p_pseudonym uuid, p_because text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_head peerpause.audit_heads;
  v_link peerpause.audit_chain;
  v_links peerpause.audit_chain[] := array[]::peerpause.audit_chain[];
  v_id uuid;
begin
  select * into v_head from peerpause.audit_heads as a where a.organisation_id = p_organisation_id for update;
  for v_id in
    select distinct i.id
    from unnest(p_ids) as i (id)
    where not exists (select from peerpause.audit_chain as c where c.entry_id = i.id and c.kind = p_kind)
    order by i.id
  loop
    v_head.place := v_head.place + 1;
    v_link := (
      p_organisation_id, v_head.place, p_kind, v_id, clock_timestamp(), false, null, null, null, null, p_pseudonym, p_because, null
    );
    v_head.hash := peerpause.audit_hash(v_head.hash, v_link, null);
    v_link.hash := v_head.hash;
    v_links := v_links || v_link;
  end loop;
  insert into peerpause.audit_chain select l.* from unnest(v_links) as l;
  update peerpause.audit_heads as a
  set place = v_head.place, hash = v_head.hash
  where a.organisation_id = p_organisation_id;
  return cardinality(v_links);
end
$$;

-- Removes the notes of these recorded rows of one organisation, and tells the chain. Answers how many there were.
-- Locks the rows in the order of their ids, then the end of the organisation's chain: as the outbox does.
create function peerpause.clear_notes(p_organisation_id uuid, p_ids uuid[], p_because text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_history uuid[];
  v_renewals uuid[];
  v_overrides uuid[];
  v_ids uuid[];
begin
  v_history := array(
    select h.id from public.peer_mentor_status_history as h
    where h.organisation_id = p_organisation_id and h.id = any(p_ids) and h.note is not null
    order by h.id for update
  );
  v_renewals := array(
    select r.id from public.certification_renewals as r
    where r.organisation_id = p_organisation_id and r.id = any(p_ids) and r.note is not null
    order by r.id for update
  );
  v_overrides := array(
    select o.id from public.certification_overrides as o
    where o.organisation_id = p_organisation_id and o.id = any(p_ids) and o.justification <> peerpause.cleared_text()
    order by o.id for update
  );
  v_ids := v_history || v_renewals || v_overrides;
  if cardinality(v_ids) = 0 then
    return 0;
  end if;
  perform peerpause.chain_rows(array_fill(p_organisation_id, array[cardinality(v_ids)]), v_ids);
  perform peerpause.chain_clearings(p_organisation_id, v_ids, 'note_cleared', null, p_because);
  update public.peer_mentor_status_history as h
  set note = null
  where h.organisation_id = p_organisation_id and h.id = any(v_history);
  update public.certification_renewals as r
  set note = null
  where r.organisation_id = p_organisation_id and r.id = any(v_renewals);
  update public.certification_overrides as o
  set justification = peerpause.cleared_text()
  where o.organisation_id = p_organisation_id and o.id = any(v_overrides);
  update peerpause.audit_chain as c
  set note_salt = null
  where c.entry_id = any(v_ids) and c.note_salt is not null;
  return cardinality(v_ids);
end
$$;

-- Puts a pseudonym in the place of a person in everything they recorded in one organisation, and tells the chain. Answers how many
-- rows there were. Locks as clear_notes does.
create function peerpause.clear_person(p_organisation_id uuid, p_person_id uuid, p_pseudonym uuid, p_because text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_history uuid[];
  v_renewals uuid[];
  v_overrides uuid[];
  v_ids uuid[];
begin
  v_history := array(
    select h.id from public.peer_mentor_status_history as h
    where h.organisation_id = p_organisation_id and h.changed_by = p_person_id
    order by h.id for update
  );
  v_renewals := array(
    select r.id from public.certification_renewals as r
    where r.organisation_id = p_organisation_id and r.recorded_by = p_person_id
    order by r.id for update
  );
  v_overrides := array(
    select o.id from public.certification_overrides as o
    where o.organisation_id = p_organisation_id and o.granted_by = p_person_id
    order by o.id for update
  );
  v_ids := v_history || v_renewals || v_overrides;
  if cardinality(v_ids) = 0 then
    return 0;
  end if;
  perform peerpause.chain_rows(array_fill(p_organisation_id, array[cardinality(v_ids)]), v_ids);
  perform peerpause.chain_clearings(p_organisation_id, v_ids, 'person_cleared', p_pseudonym, p_because);
  update public.peer_mentor_status_history as h
  set changed_by = p_pseudonym
  where h.organisation_id = p_organisation_id and h.id = any(v_history);
  update public.certification_renewals as r
  set recorded_by = p_pseudonym
  where r.organisation_id = p_organisation_id and r.id = any(v_renewals);
  update public.certification_overrides as o
  set granted_by = p_pseudonym
  where o.organisation_id = p_organisation_id and o.id = any(v_overrides);
  update peerpause.audit_chain as c
  set person_salt = null
  where c.entry_id = any(v_ids) and c.person_salt is not null;
  return cardinality(v_ids);
end
$$;

-- What stands where a text was that a row cannot be without.
create function peerpause.cleared_text()
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return '(removed at the end of its time)';
end
$$;
