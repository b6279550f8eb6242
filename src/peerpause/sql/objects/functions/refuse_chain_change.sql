-- The audit chain is append-only for everyone. Only salts go, and only where a link says what was cleared.
create function peerpause.refuse_chain_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    if new.note_salt is null and peerpause.was_cleared(old.entry_id, 'note_cleared', null) then
      old.note_salt := null;
    end if;
    if
      new.person_salt is null
      and exists (select from peerpause.audit_chain as c where c.entry_id = old.entry_id and c.kind = 'person_cleared')
    then
      old.person_salt := null;
    end if;
    if new is not distinct from old then
      return new;
    end if;
  end if;
  raise exception 'the audit chain is append-only'
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded.';
end
$$;
