-- What is told is chained in one statement for each organisation, with facts written out and salts drawn from one seed: telling many changes
-- at once is not to feel it.

-- Every row that the audit chain vouches for, in one shape. facts are what the chain says of it, as a JSON array of texts; who did it and
-- the note go in as digests beside them. Written out here, and not in functions, for it is asked for every change.
create or replace view peerpause.audit_rows as
select
  h.organisation_id, h.id as entry_id, 'history' as kind, h.mentor_id, h.changed_by as person_id, h.note,
  h.changed_at as recorded_at, h.told_at is not null as is_due,
  json_build_array(
    h.mentor_id, h.previous_status, h.new_status, to_char(h.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    h.reason, h.expected_return_on, h.certification_expires_at, h.job_run_id
  ) as facts
from public.peer_mentor_status_history as h
union all
select
  r.organisation_id, r.id, 'renewal', r.mentor_id, r.recorded_by, r.note, r.recorded_at, true,
  json_build_array(
    r.mentor_id, r.certification_id, r.kind, r.issued_on, r.expires_on, r.previous_expires_on, r.ended_pause::text,
    to_char(r.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  )
from public.certification_renewals as r
union all
select
  o.organisation_id, o.id, 'override', o.mentor_id, o.granted_by, o.justification, o.granted_at, true,
  json_build_array(o.mentor_id, o.valid_until, to_char(o.granted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
from public.certification_overrides as o;

-- Adds recorded rows to their organisations' audit chains, in the order of their ids; those that are in already are left out.
-- p_organisation_ids[n] is whose row p_ids[n] is; p_kind says that all are of one kind, null that they may be of any. Answers how
-- many were added.
--
-- Every look-up is for a few rows by key, also while statistics still say that the chain is empty: hence no scans of whole tables.
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
set enable_seqscan = off
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  -- The salts are drawn from one random seed that nobody keeps: asking the system for each costs more than all the rest.
  v_seed constant bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  v_head peerpause.audit_heads;
  v_new record;
  v_text text;
  v_hashes bytea[];
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
    -- What each link says, in the words of peerpause.audit_hash.
    select
      coalesce(array_agg(l.entry_id order by l.entry_id), '{}') as ids,
      array_agg(l.kind order by l.entry_id) as kinds,
      array_agg(l.person_salt order by l.entry_id) as person_salts,
      array_agg(l.person_digest order by l.entry_id) as person_digests,
      array_agg(l.note_salt order by l.entry_id) as note_salts,
      array_agg(l.note_digest order by l.entry_id) as note_digests,
      array_agg(
        json_build_array(
          v_head.organisation_id, v_head.place + l.number, l.kind, l.entry_id,
          to_char(v_now at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), p_adopted, l.facts,
          encode(l.person_digest, 'hex'), encode(l.note_digest, 'hex'), null, null
        )::text
        order by l.entry_id
      ) as texts
    into v_new
    from (
      select
        r.entry_id, r.kind, r.facts, row_number() over (order by r.entry_id) as number,
        p.salt as person_salt, sha256(uuid_send(p.salt) || convert_to(r.person_id::text, 'UTF8')) as person_digest,
        n.salt as note_salt, sha256(uuid_send(n.salt) || convert_to(r.note, 'UTF8')) as note_digest
      from peerpause.audit_rows as r
      left join lateral (
        select encode(substring(sha256(v_seed || uuid_send(r.entry_id) || '\x01') from 1 for 16), 'hex')::uuid as salt
        where r.person_id is not null
      ) as p on true
      left join lateral (
        select encode(substring(sha256(v_seed || uuid_send(r.entry_id) || '\x02') from 1 for 16), 'hex')::uuid as salt
        where r.note is not null
      ) as n on true
      where
        r.organisation_id = v_head.organisation_id
        and r.entry_id = any(
          array(
            select i.id
            from unnest(p_organisation_ids, p_ids) as i (organisation_id, id)
            where i.organisation_id = v_head.organisation_id
          )
        )
        and (p_kind is null or r.kind = p_kind)
        and not exists (select from peerpause.audit_chain as c where c.entry_id = r.entry_id and c.kind = r.kind)
    ) as l;
    if cardinality(v_new.ids) > 0 then
      v_hashes := array[]::bytea[];
      foreach v_text in array v_new.texts
      loop
        v_head.hash := sha256(v_head.hash || convert_to(v_text, 'UTF8'));
        v_hashes := v_hashes || v_head.hash;
      end loop;
      insert into peerpause.audit_chain (
        organisation_id, place, kind, entry_id, chained_at, adopted, person_salt, person_digest, note_salt, note_digest, hash
      )
      select
        v_head.organisation_id, v_head.place + l.number, l.kind, l.entry_id, v_now, p_adopted,
        l.person_salt, l.person_digest, l.note_salt, l.note_digest, l.hash
      from unnest(
        v_new.ids, v_new.kinds, v_new.person_salts, v_new.person_digests, v_new.note_salts, v_new.note_digests, v_hashes
      )
      with ordinality as l (entry_id, kind, person_salt, person_digest, note_salt, note_digest, hash, number);
      update peerpause.audit_heads as a
      set place = v_head.place + cardinality(v_hashes), hash = v_head.hash
      where a.organisation_id = v_head.organisation_id;
      v_added := v_added + cardinality(v_hashes);
    end if;
  end loop;
  return v_added;
end
$$;

-- squawk-ignore ban-drop-function -- nobody but the view called it
drop function peerpause.override_facts(public.certification_overrides);
-- squawk-ignore ban-drop-function -- nobody but the view called it
drop function peerpause.renewal_facts(public.certification_renewals);
-- squawk-ignore ban-drop-function -- nobody but the view called it
drop function peerpause.history_facts(public.peer_mentor_status_history);
