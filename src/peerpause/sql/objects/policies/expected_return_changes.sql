-- Read by the mentor, their coordinators and admins; written by a function.
create policy "people see the changed returns they answer for and their own"
on public.expected_return_changes for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = expected_return_changes.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.expected_return_changes to authenticated, service_role;
