-- The audit chain: admins verify and export their organisation's, the worker makes it longer, nobody reads or writes its tables.
revoke all on function
peerpause.audit_stamp(timestamptz),
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
