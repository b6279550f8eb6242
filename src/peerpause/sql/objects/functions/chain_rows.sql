-- Adds recorded rows to their organisations' audit chains, in the order of their ids; those that are in already are left out.
-- p_organisation_ids[n] is whose row p_ids[n] is; p_kind says that all are of one kind, null that they may be of any. Answers how
-- many were added.
--
-- Locks the ends of the chains in the order of the organisations' ids, to the end of the transaction; the rows themselves are locked
-- by whoever calls, before.
create function peerpause.chain_rows(
  p_organisation_ids uuid[],
  p_ids uuid[],
  p_kind text default null,
  p_adopted boolean default false
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_head peerpause.audit_heads;
  v_link peerpause.audit_chain;
  v_links peerpause.audit_chain[];
  v_row record;
  v_ids uuid[];
  v_added integer := 0;
begin
  if cardinality(p_ids) = 0 then
    return 0;
  end if;
  insert into peerpause.audit_heads (organisation_id)
  select distinct o.organisation_id
  from unnest(p_organisation_ids) as o (organisation_id)
  where not exists (select from peerpause.audit_heads as a where a.organisation_id = o.organisation_id)
  order by o.organisation_id
  on conflict do nothing;

  for v_head in
    select * from peerpause.audit_heads as a where a.organisation_id = any(p_organisation_ids) order by a.organisation_id for update
  loop
    v_links := '{}';
    v_ids := array(
      select i.id from unnest(p_organisation_ids, p_ids) as i (organisation_id, id) where i.organisation_id = v_head.organisation_id
    );
    for v_row in
      select
        r.entry_id, r.kind, r.facts, p.salt as person_salt, peerpause.audit_digest(p.salt, r.person_id::text) as person_digest,
        n.salt as note_salt, peerpause.audit_digest(n.salt, r.note) as note_digest
      from peerpause.audit_rows as r
      left join lateral (select gen_random_uuid() as salt where r.person_id is not null) as p on true
      left join lateral (select gen_random_uuid() as salt where r.note is not null) as n on true
      where
        r.organisation_id = v_head.organisation_id
        and r.entry_id = any(v_ids)
        and (p_kind is null or r.kind = p_kind)
        and not exists (select from peerpause.audit_chain as c where c.entry_id = r.entry_id and c.kind = r.kind)
      order by r.entry_id
    loop
      v_head.place := v_head.place + 1;
      v_link := (
        v_head.organisation_id, v_head.place, v_row.kind, v_row.entry_id, clock_timestamp(), p_adopted,
        v_row.person_salt, v_row.person_digest, v_row.note_salt, v_row.note_digest, null, null, null
      );
      v_head.hash := peerpause.audit_hash(v_head.hash, v_link, v_row.facts);
      v_link.hash := v_head.hash;
      v_links := v_links || v_link;
    end loop;
    if cardinality(v_links) > 0 then
      insert into peerpause.audit_chain select l.* from unnest(v_links) as l;
      update peerpause.audit_heads as a
      set place = v_head.place, hash = v_head.hash
      where a.organisation_id = v_head.organisation_id;
      v_added := v_added + cardinality(v_links);
    end if;
  end loop;
  return v_added;
end
$$;

-- Adds the certificate records that wait for it, at most p_limit. Answers how many. Rows that another worker has in hand are left to it.
create function peerpause.chain_waiting(p_limit integer)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_ids uuid[];
  v_ids uuid[];
begin
  with taken as (
    delete from peerpause.audit_waiting as w
    where (w.organisation_id, w.entry_id) in (
      select q.organisation_id, q.entry_id
      from peerpause.audit_waiting as q
      order by q.entry_id
      limit p_limit
      for update skip locked
    )
    returning w.organisation_id, w.entry_id
  )

  select array_agg(t.organisation_id), array_agg(t.entry_id) into v_organisation_ids, v_ids from taken as t;
  return coalesce(peerpause.chain_rows(v_organisation_ids, v_ids), 0);
end
$$;

-- Takes rows into the chain that were recorded before there was one, or by a data migration that went past the triggers: at most
-- p_limit. Their links say that they were adopted. Answers how many were taken in; 0 when there is nothing left to adopt.
create function peerpause.adopt_rows(p_organisation_id uuid, p_limit integer)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids uuid[];
begin
  v_ids := array(
    select r.entry_id
    from peerpause.audit_rows as r
    where
      r.organisation_id = p_organisation_id
      and r.is_due
      and not exists (select from peerpause.audit_chain as c where c.entry_id = r.entry_id and c.kind = r.kind)
      and not exists (
        select from peerpause.audit_waiting as w where w.organisation_id = r.organisation_id and w.entry_id = r.entry_id
      )
    order by r.entry_id
    limit p_limit
  );
  return peerpause.chain_rows(array_fill(p_organisation_id, array[cardinality(v_ids)]), v_ids, null, true);
end
$$;

-- Remembers a certificate record for the audit chain. Fires after an insert.
create function peerpause.await_chaining()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into peerpause.audit_waiting (organisation_id, entry_id) values (new.organisation_id, new.id);
  return null;
end
$$;
