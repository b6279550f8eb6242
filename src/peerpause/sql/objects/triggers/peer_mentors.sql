-- Named to fire after every other BEFORE trigger of the table: the guard sees the row as it will be written.
create trigger zzz_peerpause_guard
before insert or update on public.peer_mentors
for each row
execute function peerpause.guard_peer_mentor();

-- History. A statement-level trigger sees all rows of its statement; which of each pair fires is decided by whether row
-- security binds the one who runs the statement, and that cannot be set by hand.
create trigger peerpause_record_update_by_function
after update on public.peer_mentors
referencing old table as old_rows new table as new_rows
for each statement
when (not row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('trusted');

create trigger peerpause_record_update_by_client
after update on public.peer_mentors
referencing old table as old_rows new table as new_rows
for each statement
when (row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('client');

create trigger peerpause_record_insert_by_function
after insert on public.peer_mentors
referencing new table as new_rows
for each statement
when (not row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('trusted');

create trigger peerpause_record_insert_by_client
after insert on public.peer_mentors
referencing new table as new_rows
for each statement
when (row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('client');
