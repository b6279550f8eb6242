-- For the functions alone: the row holds an answer, and nobody but its caller should see that. No policy lets a client in.
create policy "nobody reads the kept answers"
on public.idempotency_keys for select to authenticated
using (false);

grant select, delete on public.idempotency_keys to service_role;
