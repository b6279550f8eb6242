-- Whoever has a part in an organisation reads its words; its admins choose them.
create policy "people read the words of the organisations they belong to"
on public.reason_labels for select to authenticated
using (
  organisation_id in (select o.id from public.organisations as o)
);

create policy "admins add words of their organisation"
on public.reason_labels for insert to authenticated
with check (organisation_id = any((select peerpause.my_organisations())::uuid[]));

create policy "admins change words of their organisation"
on public.reason_labels for update to authenticated
using (organisation_id = any((select peerpause.my_organisations())::uuid[]))
with check (organisation_id = any((select peerpause.my_organisations())::uuid[]));

create policy "admins take back words of their organisation"
on public.reason_labels for delete to authenticated
using (organisation_id = any((select peerpause.my_organisations())::uuid[]));

grant select, insert, delete on public.reason_labels to authenticated;
grant update (label) on public.reason_labels to authenticated;
grant select, insert, update, delete on public.reason_labels to service_role;
