-- Lets a mentor leave. A paused mentor takes the two legal steps in this one transaction: two history rows, never active to
-- anyone else in between, and one notification (the first step's reason, resignation_step, is told to nobody).
--
-- Answers the peer_mentor_status row; no row, with nothing changed, where the row has moved on since p_expected_updated_at.
-- Refuses: P0001 the mentor has left already; 22023 reason missing or unknown; 42501 not yours; PT404 no such mentor.
-- Locks: the key's row if one is given, then the mentor's row.
create function peerpause.deactivate_mentor(
  p_mentor_id uuid,
  p_reason text,
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
  v_note constant text := nullif(btrim(p_note), '');
  v_mentor public.peer_mentors;
  v_known boolean;
  v_answer jsonb;
begin
  if peerpause.people_may_give(p_reason) is not true then
    perform peerpause.require_reason(p_reason, 'inactive');
  end if;
  if char_length(v_note) > 2000 then
    raise exception 'the note is longer than 2000 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'rpc_deactivate_mentor', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_reason, v_note, p_expected_updated_at at time zone 'UTC')
    ) as f;
    if v_known then
      return query select a.* from jsonb_populate_record(null::public.peer_mentor_status, v_answer) as a where v_answer is not null;
      return;
    end if;
  end if;

  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  if v_mentor.updated_at is distinct from coalesce(p_expected_updated_at, v_mentor.updated_at) then
    v_mentor := null;
  else
    if v_mentor.status = 'paused' then
      v_mentor := peerpause.change_status(p_mentor_id, 'active', v_actor_id, 'resignation_step', null, null, null, true);
    end if;
    v_mentor := peerpause.change_status(p_mentor_id, 'inactive', v_actor_id, p_reason, v_note, null, null);
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

create function public.rpc_deactivate_mentor(
  p_mentor_id uuid,
  p_reason text,
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
  from peerpause.deactivate_mentor(p_mentor_id, p_reason, p_note, p_expected_updated_at, p_idempotency_key) as s;
end
$$;
