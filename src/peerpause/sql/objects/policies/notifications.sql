-- Everyone reads their own inbox; they may say that they have read or acknowledged an entry.
create policy "people see their own inbox"
on public.notifications for select to authenticated
using (
  recipient_id = (select auth.uid())
);

grant select on public.notifications to authenticated;
grant select, insert, update, delete on public.notifications to service_role;

create policy "people mark their own inbox"
on public.notifications for update to authenticated
using (recipient_id = (select auth.uid()))
with check (recipient_id = (select auth.uid()));

grant update (read_at, acknowledged_at) on public.notifications to authenticated;
