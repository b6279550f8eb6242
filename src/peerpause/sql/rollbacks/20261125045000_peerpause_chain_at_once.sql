-- Takes back what the twin of the same name changed.
-- What the chain vouches for in a change of a status, as a JSON array of texts; who did it and the note go in as digests beside it.
create function peerpause.history_facts(p_row public.peer_mentor_status_history)
returns json
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return json_build_array(
    p_row.mentor_id, p_row.previous_status, p_row.new_status,
    to_char(p_row.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    p_row.reason, p_row.expected_return_on, p_row.certification_expires_at, p_row.job_run_id
  );
end
$$;

-- What the chain vouches for in a renewal.
create function peerpause.renewal_facts(p_row public.certification_renewals)
returns json
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return json_build_array(
    p_row.mentor_id, p_row.certification_id, p_row.kind, p_row.issued_on, p_row.expires_on, p_row.previous_expires_on,
    p_row.ended_pause::text, peerpause.audit_stamp(p_row.recorded_at)
  );
end
$$;

-- What the chain vouches for in an override.
create function peerpause.override_facts(p_row public.certification_overrides)
returns json
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return json_build_array(p_row.mentor_id, p_row.valid_until, peerpause.audit_stamp(p_row.granted_at));
end
$$;

revoke all on function
peerpause.history_facts(public.peer_mentor_status_history),
peerpause.renewal_facts(public.certification_renewals),
peerpause.override_facts(public.certification_overrides)
from public, anon, authenticated, service_role;

-- Every row that the audit chain vouches for, in one shape.
create or replace view peerpause.audit_rows as
select
  h.organisation_id, h.id as entry_id, 'history' as kind, h.mentor_id, h.changed_by as person_id, h.note,
  h.changed_at as recorded_at, h.told_at is not null as is_due, peerpause.history_facts(h) as facts
from public.peer_mentor_status_history as h
union all
select
  r.organisation_id, r.id, 'renewal', r.mentor_id, r.recorded_by, r.note,
  r.recorded_at, true, peerpause.renewal_facts(r)
from public.certification_renewals as r
union all
select
  o.organisation_id, o.id, 'override', o.mentor_id, o.granted_by, o.justification,
  o.granted_at, true, peerpause.override_facts(o)
from public.certification_overrides as o;

-- Adds recorded rows to their organisations' audit chains, in the order of their ids; those that are in already are left out.
-- p_organisation_ids[n] is whose row p_ids[n] is; p_kind says that all are of one kind, null that they may be of any. Answers how
-- many were added.
--
-- Locks the ends of the chains in the order of the organisations' ids, to the end of the transaction; the rows themselves are locked
-- by whoever calls, before.
create or replace function peerpause.chain_rows(
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
