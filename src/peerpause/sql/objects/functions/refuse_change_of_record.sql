-- Append-only means everyone: what was recorded is never changed and never removed. The one exception is as in the history: a text or
-- a person goes where the audit chain says that it was cleared.
create function peerpause.refuse_change_of_record()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_text_column constant text := case tg_table_name when 'certification_overrides' then 'justification' else 'note' end;
  v_person_column constant text := case tg_table_name when 'certification_overrides' then 'granted_by' else 'recorded_by' end;
  v_old jsonb;
  v_new jsonb;
begin
  if tg_op = 'UPDATE' and new is distinct from old and not row_security_active(tg_relid) then
    v_old := to_jsonb(old);
    v_new := to_jsonb(new);
    if
      v_old - v_text_column - v_person_column = v_new - v_text_column - v_person_column
      and (
        v_old -> v_text_column = v_new -> v_text_column
        or (
          coalesce(v_new ->> v_text_column, peerpause.cleared_text()) = peerpause.cleared_text()
          and peerpause.was_cleared(old.id, 'note_cleared', null)
        )
      )
      and (
        v_old -> v_person_column = v_new -> v_person_column
        or peerpause.was_cleared(old.id, 'person_cleared', (v_new ->> v_person_column)::uuid)
      )
    then
      return new;
    end if;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded. Record anew what holds from now on.';
end
$$;
