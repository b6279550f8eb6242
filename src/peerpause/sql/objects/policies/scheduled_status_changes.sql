-- Planned pauses: for the mentor, their coordinators and admins.
create policy "people see the planned pauses they answer for and their own"
on public.scheduled_status_changes for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = scheduled_status_changes.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

-- All but the note, which is read by peerpause.notes_of.
grant select (
  organisation_id, id, mentor_id, new_status, effective_at, reason, expected_return_on, requested_by, requested_at, settled_at, settled_by,
  outcome
) on public.scheduled_status_changes to authenticated;
grant select, insert, update, delete on public.scheduled_status_changes to service_role;
