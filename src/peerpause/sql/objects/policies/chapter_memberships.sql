-- Who belongs where: for the mentor, the chapter's coordinators and the admins.
create policy "people see the memberships they answer for and their own"
on public.chapter_memberships for select to authenticated
using (
  chapter_id = any((select peerpause.my_chapters())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or mentor_id = any((select peerpause.my_mentors())::uuid[])
);

grant select on public.chapter_memberships to authenticated;
grant select, insert, update, delete on public.chapter_memberships to service_role;
