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
