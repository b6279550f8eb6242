-- Export, erasure and the read log: people themselves, admins within their organisation, the operator; the tables are for functions.
revoke all on function
peerpause.record_read(uuid, uuid, text),
peerpause.list_mentor_reads(uuid, integer, timestamptz),
peerpause.find_person(uuid, uuid),
peerpause.has_a_part(uuid, uuid),
peerpause.has_recorded(uuid, uuid),
peerpause.authorise_person(uuid, uuid[], uuid),
peerpause.by_whom(uuid, uuid),
peerpause.export_person(uuid, uuid),
peerpause.export_identity(uuid, uuid[], uuid),
peerpause.export_mentor(uuid, uuid[]),
peerpause.export_deeds(uuid, uuid[], uuid),
peerpause.erase_person(uuid, uuid, boolean),
peerpause.person_digest(uuid),
peerpause.erase_under(uuid, uuid[], uuid, uuid, boolean),
peerpause.summed(jsonb, jsonb),
peerpause.erase_mentors(uuid, uuid[], uuid),
peerpause.erase_user(uuid, uuid, uuid),
peerpause.erase_account(uuid, boolean, uuid),
peerpause.list_erasures(uuid),
peerpause.reapply_erasure(uuid, uuid, uuid[], text, boolean),
public.list_mentor_reads(uuid, integer, timestamptz),
public.export_person(uuid, uuid),
public.erase_person(uuid, uuid, boolean),
public.list_erasures(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.list_mentor_reads(uuid, integer, timestamptz),
peerpause.export_person(uuid, uuid),
peerpause.erase_person(uuid, uuid, boolean),
peerpause.list_erasures(uuid),
public.list_mentor_reads(uuid, integer, timestamptz),
public.export_person(uuid, uuid),
public.erase_person(uuid, uuid, boolean),
public.list_erasures(uuid)
to authenticated, service_role;

grant execute on function peerpause.reapply_erasure(uuid, uuid, uuid[], text, boolean) to service_role;
