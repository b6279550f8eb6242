-- Takes the status columns back, with what is in them. A column `updated_at` that the app had before us stays.

alter table public.peer_mentors
  drop constraint peer_mentors_note_is_short,
  drop constraint peer_mentors_paused_for_a_reason,
  drop constraint peer_mentors_pause_facts_only_while_paused,
  drop constraint peer_mentors_paused_since;

do $$
begin
  if not exists (
    select from peerpause.adopted_columns as a
    where a.table_name = 'peer_mentors' and a.column_name = 'updated_at'
  ) then
    alter table public.peer_mentors drop column updated_at;
  end if;
end
$$;

alter table public.peer_mentors
  drop column reactivated_at,
  drop column expected_return_on,
  drop column pause_note,
  drop column pause_reason,
  drop column pause_at,
  drop column status;

drop type public.mentor_status;

-- Rows that were held to the truths of the directory keep to them: a validated constraint stays validated.
