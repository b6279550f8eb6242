-- Append-only: row by row, and also for a statement that would empty the table.
create trigger peerpause_append_only
before update or delete on public.peer_mentor_status_history
for each row
execute function peerpause.refuse_history_change();

create trigger peerpause_append_only_truncate
before truncate on public.peer_mentor_status_history
for each statement
execute function peerpause.refuse_history_change();
