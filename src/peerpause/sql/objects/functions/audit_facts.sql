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
