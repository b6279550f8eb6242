-- Append-only: what was recorded of an expected return is never changed and never removed. The one exception is our own functions, which
-- may put a pseudonym in the place of the person who did it, and touch nothing else.
create function peerpause.refuse_change_of_return()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    tg_op = 'UPDATE'
    and not row_security_active(tg_relid)
    and old.changed_by is not null
    and new.changed_by is not null
    and to_jsonb(old) - 'changed_by' = to_jsonb(new) - 'changed_by'
  then
    return new;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded. Record anew what holds from now on.';
end
$$;
