-- Read by the mentor, their coordinators and admins; written by functions.
create policy "people see the certificates they answer for and their own"
on public.certifications for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = certifications.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.certifications to authenticated;
grant select, insert, update, delete on public.certifications to service_role;
