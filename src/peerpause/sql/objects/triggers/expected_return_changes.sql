-- What was recorded stays: row by row, and also for a statement that would empty the table.
create trigger peerpause_append_only
before update or delete on public.expected_return_changes
for each row
execute function peerpause.refuse_change_of_return();

create trigger peerpause_append_only_truncate
before truncate on public.expected_return_changes
for each statement
execute function peerpause.refuse_change_of_return();
