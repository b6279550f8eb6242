-- Mentors and coordinators see their chapters, admins the organisation's.
create policy "people see the chapters they belong to"
on public.chapters for select to authenticated
using (
  id = any((select peerpause.my_chapters())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.chapter_id = chapters.id and m.mentor_id = any((select peerpause.my_mentors())::uuid[])
  )
);

grant select on public.chapters to authenticated;
grant select, insert, update, delete on public.chapters to service_role;
