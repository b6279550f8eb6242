-- Takes back what the twin of the same name added. What was cleared from the records stays cleared.
drop function public.audit_ends();
drop function public.export_audit(uuid, bigint, integer, boolean);
drop function public.verify_audit(uuid, integer);
drop function peerpause.audit_ends();
drop function peerpause.export_audit(uuid, bigint, integer, boolean);
drop function peerpause.verify_audit(uuid, integer);
drop function peerpause.audit_findings(uuid);

drop trigger peerpause_await_chaining on public.certification_overrides;
drop trigger peerpause_await_chaining on public.certification_renewals;

-- Append-only means everyone: what was recorded is never changed and never removed. Erasing a person is the one exception, as in
-- the history (peerpause.erasing, which counts only where row security does not bind).
create or replace function peerpause.refuse_change_of_record()
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

-- Append-only means everyone: a history row is never changed and never removed.
-- Two exceptions, both ours: the outbox marks a row as told, once; erasing a person blanks their traces (peerpause.erase_person
-- says whose in the transaction-local setting peerpause.erasing, which counts only where row security does not bind).
create or replace function peerpause.refuse_history_change()
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

drop function peerpause.clear_person(uuid, uuid, uuid, text);
drop function peerpause.clear_notes(uuid, uuid[], text);
drop function peerpause.chain_clearings(uuid, uuid[], text, uuid, text);
drop function peerpause.cleared_text();
drop function peerpause.await_chaining();
drop function peerpause.adopt_rows(uuid, integer);
drop function peerpause.chain_waiting(integer);
drop function peerpause.chain_rows(uuid[], uuid[], text, boolean);
drop view peerpause.audit_rows;
drop function peerpause.audit_hash(bytea, peerpause.audit_chain, json);
drop function peerpause.audit_digest(uuid, text);
drop function peerpause.override_facts(public.certification_overrides);
drop function peerpause.renewal_facts(public.certification_renewals);
drop function peerpause.history_facts(public.peer_mentor_status_history);
drop function peerpause.audit_stamp(timestamptz);
drop table peerpause.audit_waiting;
drop table peerpause.audit_chain;
drop table peerpause.audit_heads;
drop function peerpause.refuse_chain_change();
drop function peerpause.was_cleared(uuid, text, uuid);
