-- The judge of every write to peer_mentors, whoever writes and by whatever path.
--
--   1. moves updated_at strictly forward: it is the optimistic-lock token;
--   2. lets a new mentor start in any status, with the facts that status needs;
--   3. refuses a status change that is not one of the three legal moves (P0001);
--   4. refuses a return to active while a required certificate has lapsed (P0001, hint certification_expired);
--   5. sets and clears the pause columns, so that they say the truth of the new status;
--   6. refuses to edit the facts of a running pause past the audit trail;
--   7. holds a client's own statement to what the functions ask for too: no reason that only the system gives, no return date
--      before the pause, no pause that began long ago.
--
-- Named to fire after any other BEFORE trigger of the table (triggers fire in alphabetical order), so that none changes the
-- row behind its back. A client's own statement is told from ours by row security: it binds clients, not our functions. Of the
-- setting peerpause.change, which a client can put on by hand, only reason and note count in a client's statement.
create function peerpause.guard_peer_mentor()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_client boolean;
  v_change jsonb;
  v_lapsed_on date;
begin
  if tg_op = 'INSERT' then
    new.updated_at := clock_timestamp();
    if new.status = 'paused' then
      new.pause_at := coalesce(new.pause_at, new.updated_at);
      new.pause_reason := coalesce(new.pause_reason, 'other');
    end if;
    return new;
  end if;

  new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  if (new.id, new.organisation_id) is distinct from (old.id, old.organisation_id) then
    raise exception 'a mentor keeps id and organisation for life' using errcode = '22023';
  end if;

  if new.status = old.status then
    if
      (new.pause_at, new.pause_reason, new.pause_note, new.expected_return_on)
      is distinct from (old.pause_at, old.pause_reason, old.pause_note, old.expected_return_on)
      and row_security_active('public.peer_mentors')
    then
      raise exception 'the facts of a pause are changed together with the status only'
        using errcode = '42501', hint = 'Reactivate the mentor and pause again with the new facts.';
    end if;
    return new;
  end if;

  if not peerpause.is_valid_transition(old.status, new.status) then
    perform peerpause.refuse_transition(old.status, new.status);
  end if;

  v_client := row_security_active('public.peer_mentors');
  v_change := nullif(current_setting('peerpause.change', true), '')::jsonb;

  if new.status = 'paused' then
    new.pause_at := coalesce(new.pause_at, new.updated_at);
    -- Where the clock was set back, updated_at may lie ahead of it.
    if new.pause_at > new.updated_at then
      raise exception 'pause_at lies in the future'
        using errcode = '22023', hint = 'Use rpc_pause_mentor with p_pause_at: it schedules the pause.';
    end if;
    if new.pause_reason is null then
      raise exception 'a pause needs a reason'
        using errcode = '22023', hint = 'Set pause_reason to one of: ' || array_to_string(peerpause.reason_codes(), ', ');
    end if;
    if not new.pause_reason = any(peerpause.reason_codes()) then
      perform peerpause.refuse_reason(new.pause_reason);
    end if;
    if v_client then
      if new.pause_reason = any(peerpause.system_reason_codes()) then
        perform peerpause.refuse_system_reason(new.pause_reason);
      end if;
      if new.pause_at < new.updated_at - interval '5 minutes' then
        raise exception 'pause_at lies in the past' using errcode = '22023', hint = 'Leave it out to pause now.';
      end if;
      perform peerpause.require_return_date(new.expected_return_on, new.pause_at, new.organisation_id);
    end if;
    return new;
  end if;

  if new.status = 'active' and (v_client or not coalesce((v_change ->> 'resigning')::boolean, false)) then
    if v_client then
      v_lapsed_on := peerpause.blocking_lapse_for_caller(new.id);
    else
      v_lapsed_on := peerpause.blocking_lapse(new.id, new.organisation_id);
    end if;
    if v_lapsed_on is not null then
      raise exception 'the required certificate expired on %', v_lapsed_on
        using
          errcode = 'P0001',
          detail = jsonb_build_object('expired_on', v_lapsed_on)::text,
          hint = 'certification_expired';
    end if;
  end if;

  if new.status = 'inactive' and v_change ->> 'reason' is null then
    raise exception 'a deactivation needs a reason'
      using
        errcode = '22023',
        hint = 'Call update_mentor_status, or first: select set_config(''peerpause.change'', ''{"reason": "resigned"}'', true)';
  end if;
  new.pause_at := null;
  new.pause_reason := null;
  new.pause_note := null;
  new.expected_return_on := null;
  if new.status = 'active' then
    new.reactivated_at := new.updated_at;
  end if;
  return new;
end
$$;
