-- Append-only means everyone: a history row is never changed and never removed.
-- Two exceptions, both ours: the outbox marks a row as told, once; erasing a person blanks their traces (peerpause.erase_person
-- says whose in the transaction-local setting peerpause.erasing, which counts only where row security does not bind).
create function peerpause.refuse_history_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and old.told_at is null and new.told_at is not null then
    old.told_at := new.told_at;
    if new is not distinct from old then
      return new;
    end if;
  end if;
  if
    tg_op = 'UPDATE'
    and current_setting('peerpause.erasing', true) = old.mentor_id::text
    and not row_security_active('public.peer_mentor_status_history')
  then
    return new;
  end if;
  raise exception 'the status history is append-only'
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded.';
end
$$;
