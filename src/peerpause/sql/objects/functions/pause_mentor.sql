-- Pauses a mentor now, or schedules the pause where p_pause_at lies ahead.
--
-- Answers the peer_mentor_status row (still active where the pause was scheduled); no row, with nothing changed, where the row
-- has moved on since p_expected_updated_at. Refuses: 22023 reason missing or unknown, return date before the pause begins,
-- p_pause_at more than five minutes ago (clocks differ; older is a mistake); 42501 not yours; PT404 no such mentor; P0001 the
-- mentor is not active. Locks: the key's row if one is given, then the mentor's row. A later request replaces a scheduled one.
create function peerpause.pause_mentor(
  p_mentor_id uuid,
  p_reason text,
  p_pause_at timestamptz,
  p_expected_return_on date,
  p_note text,
  p_expected_updated_at timestamptz,
  p_idempotency_key text
)
returns setof public.peer_mentor_status
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
  v_actor_id constant uuid := peerpause.caller();
  v_pause_at constant timestamptz := coalesce(p_pause_at, now());
  v_note constant text := nullif(btrim(p_note), '');
  v_mentor public.peer_mentors;
  v_known boolean;
  v_answer jsonb;
begin
  -- Before the checks, so that a request repeated late is answered as the first one was.
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'rpc_pause_mentor', v_organisation_id,
      -- The default of p_pause_at is the moment of the call, which says nothing about the request. UTC, because the same moment
      -- reads differently in sessions of different time zones.
      jsonb_build_array(
        p_mentor_id, p_reason, nullif(p_pause_at, now()) at time zone 'UTC',
        p_expected_return_on, v_note, p_expected_updated_at at time zone 'UTC'
      )
    ) as f;
    if v_known then
      return query select a.* from jsonb_populate_record(null::public.peer_mentor_status, v_answer) as a where v_answer is not null;
      return;
    end if;
  end if;

  if peerpause.people_may_give(p_reason) is not true then
    perform peerpause.require_reason(p_reason, 'paused');
  end if;
  if p_expected_return_on is not null then
    perform peerpause.require_return_date(p_expected_return_on, v_pause_at, v_organisation_id);
  end if;
  if char_length(v_note) > 2000 then
    raise exception 'the note is longer than 2000 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if v_pause_at < now() - interval '5 minutes' then
    raise exception 'p_pause_at lies in the past' using errcode = '22023', hint = 'Leave it out to pause now.';
  end if;
  if v_pause_at > now() then
    v_mentor := peerpause.schedule_pause(
      p_mentor_id, v_actor_id, p_reason, v_note, v_pause_at, p_expected_return_on, p_expected_updated_at
    );
  else
    v_mentor := peerpause.change_status(
      p_mentor_id, 'paused', v_actor_id, p_reason, v_note, p_expected_return_on, p_expected_updated_at
    );
  end if;
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(
      p_idempotency_key, case when v_mentor.id is not null then to_jsonb(peerpause.as_status(v_mentor)) end
    );
  end if;
  if v_mentor.id is not null then
    return next peerpause.as_status(v_mentor);
  end if;
end
$$;

create function public.rpc_pause_mentor(
  p_mentor_id uuid,
  p_reason text,
  p_pause_at timestamptz default now(),
  p_expected_return_on date default null,
  p_note text default null,
  p_expected_updated_at timestamptz default null,
  p_idempotency_key text default null
)
returns setof public.peer_mentor_status
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select s.*
  from peerpause.pause_mentor(
    p_mentor_id, p_reason, p_pause_at, p_expected_return_on, p_note, p_expected_updated_at, p_idempotency_key
  ) as s;
end
$$;
