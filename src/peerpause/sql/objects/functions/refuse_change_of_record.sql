-- Append-only means everyone: what was recorded is never changed and never removed. Erasing a person is the one exception, as in
-- the history (peerpause.erasing, which counts only where row security does not bind).
create function peerpause.refuse_change_of_record()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    tg_op = 'UPDATE'
    and current_setting('peerpause.erasing', true) = old.mentor_id::text
    and not row_security_active(tg_relid)
  then
    return new;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded. Record anew what holds from now on.';
end
$$;
