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

-- All but pause_note, which is read by peerpause.notes_of. An app that let people read the whole table before us keeps that.
grant select (
  id, organisation_id, user_id, display_name, first_name, external_id, predecessor_id, listed, languages, presentation, public_contact,
  status, pause_at, pause_reason, expected_return_on, reactivated_at, updated_at
) on public.peer_mentors to authenticated;
grant update (status, pause_at, pause_reason, pause_note, expected_return_on) on public.peer_mentors to authenticated;
grant select, insert, update, delete on public.peer_mentors to service_role;
