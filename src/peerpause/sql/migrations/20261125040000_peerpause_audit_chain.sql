-- An audit that can be checked: history, renewals and overrides are hash-chained, organisation by organisation, when they are told.
-- A note or a person is cleared from a record only where the chain says so. Rows that were recorded before this migration are taken
-- in by `peerpause audit adopt`.

-- Where each organisation's audit chain ends: how many links it has, and the hash of the last. Whoever adds links locks the row first.
create table peerpause.audit_heads (
  organisation_id uuid primary key references public.organisations (id),
  place bigint not null default 0,
  hash bytea not null default decode(repeat('00', 32), 'hex'),
  constraint audit_heads_hash_is_sha256 check (octet_length(hash) = 32)
);

comment on table peerpause.audit_heads is 'The end of each organisation''s audit chain. Written down elsewhere, it shows later whether the end was cut off.';
comment on column peerpause.audit_heads.place is 'The place of the last link; 0 before the first.';

alter table peerpause.audit_heads enable row level security;
alter table peerpause.audit_heads force row level security;
revoke all on table peerpause.audit_heads from public, anon, authenticated, service_role;

-- The audit chain: a link for every recorded row (a change of a status, a renewal, an override), and for everything that was cleared
-- from one. The hash of a link covers what it stands for and the hash before it, so that no row changes, goes or comes unnoticed.
--
-- A person's id and a note enter the hash as salted digests. Clearing them removes the salt too: the digest, which then tells nothing
-- any more, stays, and the chain still holds. No foreign keys: they would be checked for each change, and the chain outlives rows.
create table peerpause.audit_chain (
  organisation_id uuid not null,
  place bigint not null,
  kind text not null,
  entry_id uuid not null,
  chained_at timestamptz not null,
  adopted boolean not null default false,
  person_salt uuid,
  person_digest bytea,
  note_salt uuid,
  note_digest bytea,
  pseudonym uuid,
  cleared_because text,
  hash bytea not null,
  primary key (organisation_id, place),
  constraint audit_chain_kind_is_known check (kind in ('history', 'renewal', 'override', 'note_cleared', 'person_cleared')),
  constraint audit_chain_clears_for_a_reason check (
    (kind in ('note_cleared', 'person_cleared')) = (cleared_because is not null) and cleared_because in ('retention', 'erasure')
  ),
  constraint audit_chain_gives_a_pseudonym check ((kind = 'person_cleared') = (pseudonym is not null)),
  constraint audit_chain_hash_is_sha256 check (octet_length(hash) = 32)
);

comment on table peerpause.audit_chain is 'One link for each recorded row and each clearing; append-only, one chain for each organisation.';
comment on column peerpause.audit_chain.entry_id is 'The row it stands for, or the row something was cleared from.';
comment on column peerpause.audit_chain.adopted is 'Whether the row was taken in by hand, long after it was recorded (`peerpause audit adopt`).';
comment on column peerpause.audit_chain.person_digest is 'SHA-256 of salt and id of who did it; null for the system. Without its salt it tells nothing.';
comment on column peerpause.audit_chain.note_digest is 'SHA-256 of salt and note; null where there was none. Without its salt it tells nothing.';
comment on column peerpause.audit_chain.pseudonym is 'What stands for the erased person from then on.';
comment on column peerpause.audit_chain.hash is 'SHA-256 of the hash before it and the link''s own text; docs/audit.md says how the text is made.';

create unique index audit_chain_entry on peerpause.audit_chain (entry_id, kind);

alter table peerpause.audit_chain enable row level security;
alter table peerpause.audit_chain force row level security;
revoke all on table peerpause.audit_chain from public, anon, authenticated, service_role;

-- Renewals and overrides that the next pass of the outbox will add to the audit chain. A trigger puts them here.
create table peerpause.audit_waiting (
  organisation_id uuid not null references public.organisations (id),
  entry_id uuid not null,
  primary key (organisation_id, entry_id)
);

comment on table peerpause.audit_waiting is 'Certificate records not yet in the audit chain. One that is in neither came past the triggers.';

alter table peerpause.audit_waiting enable row level security;
alter table peerpause.audit_waiting force row level security;
revoke all on table peerpause.audit_waiting from public, anon, authenticated, service_role;

-- A moment as the audit chain writes it: ISO 8601 in UTC with microseconds, whatever the session's settings.
create function peerpause.audit_stamp(p_moment timestamptz)
returns text
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return to_char(p_moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
end
$$;

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

-- The digest by which the chain vouches for a person or a note without showing it; null for null.
create function peerpause.audit_digest(p_salt uuid, p_value text)
returns bytea
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(uuid_send(p_salt) || convert_to(p_value, 'UTF8'));
end
$$;

-- The hash of a link: of the hash before it and the link's text, a JSON array.
create function peerpause.audit_hash(p_before bytea, p_link peerpause.audit_chain, p_facts json)
returns bytea
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(
    p_before || convert_to(
      json_build_array(
        p_link.organisation_id, p_link.place, p_link.kind, p_link.entry_id,
        to_char(p_link.chained_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        p_link.adopted, p_facts, encode(p_link.person_digest, 'hex'), encode(p_link.note_digest, 'hex'),
        p_link.pseudonym, p_link.cleared_because
      )::text,
      'UTF8'
    )
  );
end
$$;

-- Every row that the audit chain vouches for, in one shape.
create view peerpause.audit_rows as
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

comment on view peerpause.audit_rows is 'History, renewals and overrides as the audit chain sees them.';

revoke all on table peerpause.audit_rows from public, anon, authenticated, service_role;

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

-- Whether the audit chain says that this was cleared from the entry, and for a person that this pseudonym came in its place.
create function peerpause.was_cleared(p_entry_id uuid, p_kind text, p_pseudonym uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from peerpause.audit_chain as c
    where c.entry_id = p_entry_id and c.kind = p_kind and c.pseudonym is not distinct from p_pseudonym
  );
end
$$;

-- Append-only means everyone: a history row is never changed and never removed.
-- Two exceptions, both ours. The outbox marks a row as told, once. And a note or a person goes where the audit chain says that it was
-- cleared (peerpause.clear_notes, peerpause.clear_person): nobody but those functions, which their callers guard, adds to the chain.
create or replace function peerpause.refuse_history_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and new is distinct from old then
    if old.told_at is null then
      old.told_at := new.told_at;
    end if;
    if new is not distinct from old then
      return new;
    end if;
    if not row_security_active('public.peer_mentor_status_history') then
      if new.note is null and old.note is not null and peerpause.was_cleared(old.id, 'note_cleared', null) then
        old.note := null;
      end if;
      if new.changed_by is distinct from old.changed_by and peerpause.was_cleared(old.id, 'person_cleared', new.changed_by) then
        old.changed_by := new.changed_by;
      end if;
      if new is not distinct from old then
        return new;
      end if;
    end if;
  end if;
  raise exception 'the status history is append-only'
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded.';
end
$$;

-- Append-only means everyone: what was recorded is never changed and never removed. The one exception is as in the history: a text or
-- a person goes where the audit chain says that it was cleared.
create or replace function peerpause.refuse_change_of_record()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_text_column constant text := case tg_table_name when 'certification_overrides' then 'justification' else 'note' end;
  v_person_column constant text := case tg_table_name when 'certification_overrides' then 'granted_by' else 'recorded_by' end;
  v_old jsonb;
  v_new jsonb;
begin
  if tg_op = 'UPDATE' and new is distinct from old and not row_security_active(tg_relid) then
    v_old := to_jsonb(old);
    v_new := to_jsonb(new);
    if
      v_old - v_text_column - v_person_column = v_new - v_text_column - v_person_column
      and (
        v_old -> v_text_column = v_new -> v_text_column
        or (
          coalesce(v_new ->> v_text_column, peerpause.cleared_text()) = peerpause.cleared_text()
          and peerpause.was_cleared(old.id, 'note_cleared', null)
        )
      )
      and (
        v_old -> v_person_column = v_new -> v_person_column
        or peerpause.was_cleared(old.id, 'person_cleared', (v_new ->> v_person_column)::uuid)
      )
    then
      return new;
    end if;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded. Record anew what holds from now on.';
end
$$;

-- The audit chain is append-only for everyone. Only salts go, and only where a link says what was cleared.
create function peerpause.refuse_chain_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    if new.note_salt is null and peerpause.was_cleared(old.entry_id, 'note_cleared', null) then
      old.note_salt := null;
    end if;
    if
      new.person_salt is null
      and exists (select from peerpause.audit_chain as c where c.entry_id = old.entry_id and c.kind = 'person_cleared')
    then
      old.person_salt := null;
    end if;
    if new is not distinct from old then
      return new;
    end if;
  end if;
  raise exception 'the audit chain is append-only'
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded.';
end
$$;

-- The chain only grows, and what is recorded of certificates waits to become part of it.
create trigger peerpause_append_only
before update or delete on peerpause.audit_chain
for each row
execute function peerpause.refuse_chain_change();

create trigger peerpause_append_only_truncate
before truncate on peerpause.audit_chain
for each statement
execute function peerpause.refuse_chain_change();

create trigger peerpause_await_chaining
after insert on public.certification_renewals
for each row
execute function peerpause.await_chaining();

create trigger peerpause_await_chaining
after insert on public.certification_overrides
for each row
execute function peerpause.await_chaining();

-- Whatever in one organisation does not agree with its audit chain, each with a code and what it is about; nothing where all agrees.
--
--   altered           the row is not what was chained, or the link before it was rewritten (hashes lead from one to the next)
--   missing           a chained row is gone
--   link_missing      a link is gone: places do not follow each other
--   truncated         the end of the chain is not where its head says
--   inserted          a row that is in no chain, and does not wait for it: it came past the triggers
--   backdated         a row that came an hour or more after a later change of the same mentor was chained
--   trail_broken      a change does not begin where the one before it ended
--   status_differs    a mentor's status is not the one the history leads to
create function peerpause.audit_findings(p_organisation_id uuid)
returns table (code text, place bigint, kind text, entry_id uuid, mentor_id uuid)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  with links as materialized (
    select
      c as link, c.place, c.kind, c.entry_id, c.hash, c.person_salt, c.person_digest, c.note_salt, c.note_digest,
      lag(c.hash, 1, decode(repeat('00', 32), 'hex')) over w as hash_before,
      c.place - lag(c.place, 1, 0::bigint) over w <> 1 as follows_a_gap
    from peerpause.audit_chain as c
    where c.organisation_id = p_organisation_id
    window w as (order by c.place)
  ),

  judged as (
    select
      l.place, l.kind, l.entry_id, r.mentor_id, l.follows_a_gap,
      l.kind in ('history', 'renewal', 'override') and r.entry_id is null as is_gone,
      l.hash <> peerpause.audit_hash(l.hash_before, l.link, r.facts)
      or case
        when r.entry_id is null then false
        when l.person_digest is null then r.person_id is not null
        when l.person_salt is not null
          then peerpause.audit_digest(l.person_salt, r.person_id::text) is distinct from l.person_digest
        else not exists (
          select from peerpause.audit_chain as p
          where p.entry_id = l.entry_id and p.kind = 'person_cleared' and p.pseudonym = r.person_id
        )
      end
      or case
        when r.entry_id is null then false
        when l.note_digest is null then r.note is not null
        when l.note_salt is not null then peerpause.audit_digest(l.note_salt, r.note) is distinct from l.note_digest
        else
          coalesce(r.note, peerpause.cleared_text()) <> peerpause.cleared_text()
          or not exists (select from peerpause.audit_chain as n where n.entry_id = l.entry_id and n.kind = 'note_cleared')
      end as is_altered
    from links as l
    left join peerpause.audit_rows as r
      on r.organisation_id = p_organisation_id and r.entry_id = l.entry_id and r.kind = l.kind
  )

  select f.code, j.place, j.kind, j.entry_id, j.mentor_id
  from judged as j
  cross join lateral (
    values ('link_missing', j.follows_a_gap), ('missing', j.is_gone), ('altered', j.is_altered and not j.is_gone and not j.follows_a_gap)
  ) as f (code, holds)
  where f.holds;

  return query
  select 'truncated', a.place, null::text, null::uuid, null::uuid
  from peerpause.audit_heads as a
  left join lateral (
    select c.place, c.hash
    from peerpause.audit_chain as c
    where c.organisation_id = a.organisation_id
    order by c.place desc
    limit 1
  ) as l on true
  where
    a.organisation_id = p_organisation_id
    and (a.place, a.hash) is distinct from (coalesce(l.place, 0), coalesce(l.hash, decode(repeat('00', 32), 'hex')));

  return query
  select 'inserted', null::bigint, r.kind, r.entry_id, r.mentor_id
  from peerpause.audit_rows as r
  where
    r.organisation_id = p_organisation_id
    and r.is_due
    and not exists (select from peerpause.audit_chain as c where c.entry_id = r.entry_id and c.kind = r.kind)
    and not exists (
      select from peerpause.audit_waiting as w where w.organisation_id = r.organisation_id and w.entry_id = r.entry_id
    );

  return query
  select 'backdated', s.place, 'history', s.entry_id, s.mentor_id
  from (
    select
      c.place, c.entry_id, h.mentor_id, h.changed_at,
      max(h.changed_at) over (
        partition by h.mentor_id order by c.chained_at range between unbounded preceding and interval '1 hour' preceding
      ) as seen_before
    from peerpause.audit_chain as c
    inner join public.peer_mentor_status_history as h on h.organisation_id = c.organisation_id and h.id = c.entry_id
    where c.organisation_id = p_organisation_id and c.kind = 'history' and not c.adopted
  ) as s
  where s.seen_before > s.changed_at;

  return query
  select 'trail_broken', null::bigint, 'history', t.id, t.mentor_id
  from (
    select h.id, h.mentor_id, h.previous_status, lag(h.new_status) over (partition by h.mentor_id order by h.changed_at) as reached
    from public.peer_mentor_status_history as h
    where h.organisation_id = p_organisation_id
  ) as t
  where t.previous_status is distinct from t.reached and t.previous_status is not null;

  return query
  select 'status_differs', null::bigint, null::text, null::uuid, p.id
  from public.peer_mentors as p
  inner join lateral (
    select h.new_status
    from public.peer_mentor_status_history as h
    where h.mentor_id = p.id
    order by h.changed_at desc
    limit 1
  ) as n on true
  where p.organisation_id = p_organisation_id and n.new_status <> p.status;
end
$$;

-- How the audit of one organisation stands: {organisation_id, links, waiting, adopted, place, hash, findings}. place and hash are the
-- end of the chain, to be kept elsewhere; waiting are changes nobody has been told of yet, which the chain takes in when they are told.
-- findings holds the first p_limit of peerpause.audit_findings. 42501: not an admin of the organisation.
create function peerpause.verify_audit(p_organisation_id uuid, p_limit integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_answer jsonb;
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  select jsonb_build_object(
    'organisation_id', p_organisation_id,
    'links', (select count(*) from peerpause.audit_chain as c where c.organisation_id = p_organisation_id),
    'adopted', (select count(*) from peerpause.audit_chain as c where c.organisation_id = p_organisation_id and c.adopted),
    'waiting',
    (
      select count(*) from public.peer_mentor_status_history as h
      where
        h.organisation_id = p_organisation_id
        and h.told_at is null
        and not exists (select from peerpause.audit_chain as c where c.entry_id = h.id and c.kind = 'history')
    )
    + (select count(*) from peerpause.audit_waiting as w where w.organisation_id = p_organisation_id),
    'place', coalesce((select a.place from peerpause.audit_heads as a where a.organisation_id = p_organisation_id), 0),
    'hash', (select encode(a.hash, 'hex') from peerpause.audit_heads as a where a.organisation_id = p_organisation_id),
    'findings',
    coalesce(
      (
        select jsonb_agg(jsonb_strip_nulls(to_jsonb(f)))
        from (select f.* from peerpause.audit_findings(p_organisation_id) as f limit p_limit) as f
      ),
      '[]'
    )
  )
  into v_answer;
  return v_answer;
end
$$;

create function public.verify_audit(p_organisation_id uuid, p_limit integer default 1000)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.verify_audit(p_organisation_id, p_limit);
end
$$;

-- The audit chain of one organisation with what it vouches for, in order, from behind p_after on: enough to check it without the database
-- (docs/audit.md). person and person_salt are there as far as they were not cleared. A note and its salt come along only with
-- p_with_notes, which is for the service role. 42501: not an admin of the organisation. 22023: a limit out of range.
create function peerpause.export_audit(p_organisation_id uuid, p_after bigint, p_limit integer, p_with_notes boolean)
returns table (
  organisation_id uuid,
  place bigint,
  kind text,
  entry_id uuid,
  chained_at text,
  adopted boolean,
  facts json,
  person_id uuid,
  person_salt uuid,
  person_digest text,
  note text,
  note_salt uuid,
  note_digest text,
  pseudonym uuid,
  cleared_because text,
  hash text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  if p_limit is null or p_limit not between 1 and 10000 then
    raise exception 'the limit is out of range' using errcode = '22023', hint = 'Ask for 1 to 10000 links at a time.';
  end if;
  if p_with_notes and not peerpause.caller_is_service() then
    raise exception 'notes do not leave with the audit'
      using errcode = '42501', hint = 'Leave p_with_notes out; the chain can be checked without them.';
  end if;
  return query
  select
    c.organisation_id, c.place, c.kind, c.entry_id, peerpause.audit_stamp(c.chained_at), c.adopted, r.facts,
    r.person_id, c.person_salt, encode(c.person_digest, 'hex'),
    case when p_with_notes then r.note end, case when p_with_notes then c.note_salt end, encode(c.note_digest, 'hex'),
    c.pseudonym, c.cleared_because, encode(c.hash, 'hex')
  from (
    select l.* from peerpause.audit_chain as l
    where l.organisation_id = p_organisation_id and l.place > p_after
    order by l.place
    limit p_limit
  ) as c
  left join peerpause.audit_rows as r on r.organisation_id = c.organisation_id and r.entry_id = c.entry_id and r.kind = c.kind
  order by c.place;
end
$$;

create function public.export_audit(
  p_organisation_id uuid,
  p_after bigint default 0,
  p_limit integer default 1000,
  p_with_notes boolean default false
)
returns table (
  organisation_id uuid,
  place bigint,
  kind text,
  entry_id uuid,
  chained_at text,
  adopted boolean,
  facts json,
  person_id uuid,
  person_salt uuid,
  person_digest text,
  note text,
  note_salt uuid,
  note_digest text,
  pseudonym uuid,
  cleared_because text,
  hash text
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select e.* from peerpause.export_audit(p_organisation_id, p_after, p_limit, p_with_notes) as e;
end
$$;

-- Where the chain of each organisation that the caller administers ends: to be kept elsewhere, as proof against cutting the end off.
create function peerpause.audit_ends()
returns table (organisation_id uuid, place bigint, hash text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select a.organisation_id, a.place, encode(a.hash, 'hex')
  from peerpause.audit_heads as a
  where peerpause.caller_is_service() or a.organisation_id = any((select peerpause.my_organisations())::uuid[])
  order by a.organisation_id;
end
$$;

create function public.audit_ends()
returns table (organisation_id uuid, place bigint, hash text)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select e.* from peerpause.audit_ends() as e;
end
$$;

-- The audit chain: admins verify and export their organisation's, the worker makes it longer, nobody reads or writes its tables.
revoke all on function
peerpause.audit_stamp(timestamptz),
peerpause.history_facts(public.peer_mentor_status_history),
peerpause.renewal_facts(public.certification_renewals),
peerpause.override_facts(public.certification_overrides),
peerpause.audit_digest(uuid, text),
peerpause.audit_hash(bytea, peerpause.audit_chain, json),
peerpause.chain_rows(uuid[], uuid[], text, boolean),
peerpause.chain_waiting(integer),
peerpause.adopt_rows(uuid, integer),
peerpause.await_chaining(),
peerpause.chain_clearings(uuid, uuid[], text, uuid, text),
peerpause.clear_notes(uuid, uuid[], text),
peerpause.clear_person(uuid, uuid, uuid, text),
peerpause.cleared_text(),
peerpause.was_cleared(uuid, text, uuid),
peerpause.refuse_chain_change(),
peerpause.audit_findings(uuid),
peerpause.verify_audit(uuid, integer),
peerpause.export_audit(uuid, bigint, integer, boolean),
peerpause.audit_ends(),
public.verify_audit(uuid, integer),
public.export_audit(uuid, bigint, integer, boolean),
public.audit_ends()
from public, anon, authenticated, service_role;

grant execute on function
peerpause.verify_audit(uuid, integer),
peerpause.export_audit(uuid, bigint, integer, boolean),
peerpause.audit_ends(),
public.verify_audit(uuid, integer),
public.export_audit(uuid, bigint, integer, boolean),
public.audit_ends()
to authenticated, service_role;

grant execute on function
peerpause.chain_rows(uuid[], uuid[], text, boolean),
peerpause.chain_waiting(integer),
peerpause.adopt_rows(uuid, integer)
to service_role;
