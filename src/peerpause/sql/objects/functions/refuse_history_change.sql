-- Append-only means everyone: a history row is never changed and never removed.
-- Two exceptions, both ours. The outbox marks a row as told, once. And a note or a person goes where the audit chain says that it was
-- cleared (peerpause.clear_notes, peerpause.clear_person): nobody but those functions, which their callers guard, adds to the chain.
create function peerpause.refuse_history_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and new is distinct from old then
    if old.told_at is null then
      old.told_at := new.told_at;
    end if;
    if new is not distinct from old then
      return new;
    end if;
    if not row_security_active('public.peer_mentor_status_history') then
      if new.note is null and old.note is not null and peerpause.was_cleared(old.id, 'note_cleared', null) then
        old.note := null;
      end if;
      if new.changed_by is distinct from old.changed_by and peerpause.was_cleared(old.id, 'person_cleared', new.changed_by) then
        old.changed_by := new.changed_by;
      end if;
      if new is not distinct from old then
        return new;
      end if;
    end if;
  end if;
  raise exception 'the status history is append-only'
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded.';
end
$$;
