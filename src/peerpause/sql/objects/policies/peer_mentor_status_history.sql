-- Whoever may see a mentor may see the mentor's history. Nobody writes here but the trigger; the service role marks a row as told,
-- which another trigger lets it do once.
create policy "people see the history they answer for and their own"
on public.peer_mentor_status_history for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentor_status_history.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.peer_mentor_status_history to authenticated, service_role;
grant update (told_at) on public.peer_mentor_status_history to service_role;
