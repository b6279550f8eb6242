-- Whoever has a part in an organisation reads its words; its admins choose them with the settings, by a function.
create policy "people read the words of the organisations they belong to"
on public.reason_labels for select to authenticated
using (
  organisation_id in (select o.id from public.organisations as o)
);

grant select on public.reason_labels to authenticated;
grant select, insert, update, delete on public.reason_labels to service_role;
