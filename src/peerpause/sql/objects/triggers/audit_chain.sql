-- The chain only grows, and what is recorded of certificates waits to become part of it.
create trigger peerpause_append_only
before update or delete on peerpause.audit_chain
for each row
execute function peerpause.refuse_chain_change();

create trigger peerpause_append_only_truncate
before truncate on peerpause.audit_chain
for each statement
execute function peerpause.refuse_chain_change();

create trigger peerpause_await_chaining
after insert on public.certification_renewals
for each row
execute function peerpause.await_chaining();

create trigger peerpause_await_chaining
after insert on public.certification_overrides
for each row
execute function peerpause.await_chaining();
