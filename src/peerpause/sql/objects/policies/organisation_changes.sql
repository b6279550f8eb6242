-- Read by the organisation's admins; written by functions.
create policy "admins see what was changed in their organisation"
on public.organisation_changes for select to authenticated
using (organisation_id = any((select peerpause.my_organisations())::uuid[]));

grant select on public.organisation_changes to authenticated, service_role;
