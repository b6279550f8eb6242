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
