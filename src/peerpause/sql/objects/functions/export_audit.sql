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
