-- A statement that changes many mentors costs as much for each as one that changes few, also in a session that changed a single one before.
-- Replaces one function; touches no table.

-- Writes the history: one row for every mentor whose status a statement changed or set for the first time, whatever the path.
--
-- Works on the whole statement at once, so that a nightly run of 100,000 mentors costs one insert. Who did it: our functions
-- and jobs say so in the transaction-local setting peerpause.change; that word counts only where row security does not bind
-- the one who ran the statement (argument `trusted`). A client's own statement is recorded with the signed-in person, whatever
-- settings they put on by hand.
create or replace function peerpause.record_status_changes()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trusted boolean := tg_argv[0] = 'trusted';
  v_change jsonb := nullif(current_setting('peerpause.change', true), '')::jsonb;
  v_lapsed jsonb;
  v_actor uuid;
begin
  if not v_trusted then
    -- Here and not in the guard, because a client's RETURNING may set the reason after the guard has looked at it.
    perform peerpause.require_reason(v_change ->> 'reason', 'active');
    v_actor := auth.uid();
  elsif v_change ? 'actor_id' then
    v_actor := (v_change ->> 'actor_id')::uuid;
  elsif not peerpause.caller_is_service() then
    v_actor := auth.uid();
  end if;

  if tg_op = 'INSERT' then
    insert into public.peer_mentor_status_history (
      organisation_id, mentor_id, new_status, changed_by, changed_at, reason, note, expected_return_on
    )
    select n.organisation_id, n.id, n.status, v_actor, n.updated_at, n.pause_reason, n.pause_note, n.expected_return_on
    from new_rows as n;
    return null;
  end if;

  if v_trusted then
    -- The nightly run has looked the dates up already, for a whole batch.
    v_lapsed := nullif(current_setting('peerpause.lapsed', true), '')::jsonb;
  end if;
  insert into public.peer_mentor_status_history (
    organisation_id, mentor_id, previous_status, new_status, changed_by, changed_at,
    reason, note, expected_return_on, certification_expires_at, job_run_id
  )
  select
    n.organisation_id, n.id, o.status, n.status, v_actor, n.updated_at,
    case when n.status = 'paused' then n.pause_reason else v_change ->> 'reason' end,
    case when n.status = 'paused' then n.pause_note else v_change ->> 'note' end,
    n.expected_return_on,
    case
      when n.pause_reason = 'certification_expired' then coalesce(
        (v_lapsed ->> n.id::text)::date, peerpause.lapsed_today(n.id, n.organisation_id)
      )
    end,
    case when v_trusted then (v_change ->> 'job_run_id')::uuid end
  from new_rows as n
  -- Both sides always have the row. A full join, because the plan is kept for the session and may have been made for one row: an inner
  -- join would then be a loop in a loop, and ten thousand mentors changed at once a hundred million comparisons.
  full join old_rows as o on o.id = n.id
  where o.status is distinct from n.status;
  return null;
end
$$;
