-- Everyone sees their own devices.
create policy "people see their own devices"
on public.device_tokens for select to authenticated
using (
  user_id = (select auth.uid())
);

grant select on public.device_tokens to authenticated;
grant select, insert, update, delete on public.device_tokens to service_role;
