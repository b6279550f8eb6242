-- Changes a status: the one function for all three moves.
--
-- Answers {success, mentor_id, old_status, new_status, changed_at, updated_at}; null, with nothing changed, where the row has
-- moved on since p_expected_updated_at. Refuses: 22023 unknown status, reason missing or unknown, key used otherwise;
-- 42501 not yours, or p_actor_id is not you; PT404 no such mentor; P0001 not a legal move, or certificate lapsed.
-- Locks: the key's row if one is given, then the mentor's row.
create function peerpause.update_mentor_status(
  p_mentor_id uuid,
  p_new_status text,
  p_actor_id uuid,
  p_reason text,
  p_expected_updated_at timestamptz,
  p_idempotency_key text
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
  v_to public.mentor_status;
  v_mentor public.peer_mentors;
  v_answer jsonb;
  v_known boolean;
begin
  if p_actor_id is distinct from auth.uid() then
    perform peerpause.acting_person(p_actor_id);
  end if;
  if p_new_status is null or p_new_status not in ('active', 'paused', 'inactive') then
    raise exception 'unknown status' using errcode = '22023', hint = 'One of: active, paused, inactive.';
  end if;
  v_to := p_new_status::public.mentor_status;
  if peerpause.people_may_give(p_reason) is not true then
    perform peerpause.require_reason(p_reason, v_to);
  end if;

  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'update_mentor_status', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_new_status, p_actor_id, p_reason, p_expected_updated_at at time zone 'UTC')
    ) as f;
    if v_known then
      return v_answer;
    end if;
  end if;

  v_mentor := peerpause.change_status(p_mentor_id, v_to, p_actor_id, p_reason, null, null, p_expected_updated_at);
  if v_mentor.id is not null then
    v_answer := jsonb_build_object(
      'success', true,
      'mentor_id', v_mentor.id,
      'old_status', case v_to when 'active' then 'paused' else 'active' end,
      'new_status', v_mentor.status,
      'changed_at', v_mentor.updated_at,
      'updated_at', v_mentor.updated_at
    );
  end if;
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(p_idempotency_key, v_answer);
  end if;
  return v_answer;
end
$$;

create function public.update_mentor_status(
  p_mentor_id uuid,
  p_new_status text,
  p_actor_id uuid,
  p_reason text,
  p_expected_updated_at timestamptz default null,
  p_idempotency_key text default null
)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.update_mentor_status(
    p_mentor_id, p_new_status, p_actor_id, p_reason, p_expected_updated_at, p_idempotency_key
  );
end
$$;
