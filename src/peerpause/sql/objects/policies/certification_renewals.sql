-- Read by the mentor, their coordinators and admins; written by a function.
create policy "people see the renewals they answer for and their own"
on public.certification_renewals for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = certification_renewals.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.certification_renewals to authenticated;
grant select, insert, update on public.certification_renewals to service_role;
