-- Notices are for the outbox; people read what became of them in their inbox.
grant select, insert, update, delete on public.mentor_notices to service_role;
