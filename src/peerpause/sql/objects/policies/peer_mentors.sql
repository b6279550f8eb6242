-- Mentors see themselves, coordinators the mentors of their chapters, admins the whole organisation. Each sub-select runs once
-- per statement. Coordinators and admins may change a status by a plain update; mentors go through the functions only.
create policy "people see the mentors they answer for and themselves"
on public.peer_mentors for select to authenticated
using (
  user_id = (select auth.uid())
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentors.id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

create policy "coordinators and admins change the mentors they answer for"
on public.peer_mentors for update to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentors.id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
)
with check (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentors.id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.peer_mentors to authenticated;
grant update (status, pause_at, pause_reason, pause_note, expected_return_on) on public.peer_mentors to authenticated;
grant select, insert, update, delete on public.peer_mentors to service_role;
