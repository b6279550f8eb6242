-- What was recorded of certificates stays: row by row, and also for a statement that would empty the table.
create trigger peerpause_append_only
before update or delete on public.certification_renewals
for each row
execute function peerpause.refuse_change_of_record();

create trigger peerpause_append_only_truncate
before truncate on public.certification_renewals
for each statement
execute function peerpause.refuse_change_of_record();

create trigger peerpause_append_only
before update or delete on public.certification_overrides
for each row
execute function peerpause.refuse_change_of_record();

create trigger peerpause_append_only_truncate
before truncate on public.certification_overrides
for each statement
execute function peerpause.refuse_change_of_record();
