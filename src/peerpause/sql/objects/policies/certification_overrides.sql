-- Read by the mentor, their coordinators and admins; granted through a function.
create policy "people see the overrides they answer for and their own"
on public.certification_overrides for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = certification_overrides.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.certification_overrides to authenticated;
grant select, insert, update, delete on public.certification_overrides to service_role;
