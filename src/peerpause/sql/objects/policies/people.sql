-- Everyone sees their own entry. Others' names and addresses are reached through functions only.
create policy "people see themselves"
on public.people for select to authenticated
using (
  user_id = (select auth.uid())
);

grant select on public.people to authenticated;
grant select, insert, update, delete on public.people to service_role;
