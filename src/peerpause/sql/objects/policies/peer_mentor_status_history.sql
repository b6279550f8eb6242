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

-- All but the note, which is read by peerpause.notes_of.
grant select (
  organisation_id, id, mentor_id, previous_status, new_status, changed_by, changed_at, reason, expected_return_on, certification_expires_at,
  job_run_id, told_at
) on public.peer_mentor_status_history to authenticated;
grant select on public.peer_mentor_status_history to service_role;
grant update (told_at) on public.peer_mentor_status_history to service_role;
