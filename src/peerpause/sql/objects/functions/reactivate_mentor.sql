-- Brings a paused mentor back.
--
-- Answers the peer_mentor_status row; no row, with nothing changed, where the row has moved on since p_expected_updated_at.
-- Refuses: P0001 not paused, or (hint certification_expired) a required certificate has lapsed; 42501 not yours; PT404 no such
-- mentor; 22023 unknown reason. Locks: the key's row if one is given, then the mentor's row.
create function peerpause.reactivate_mentor(
  p_mentor_id uuid,
  p_expected_updated_at timestamptz,
  p_reason text,
  p_idempotency_key text
)
returns setof public.peer_mentor_status
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
  v_mentor public.peer_mentors;
  v_known boolean;
  v_answer jsonb;
begin
  if peerpause.people_may_give(p_reason) is not true then
    perform peerpause.require_reason(p_reason, 'active');
  end if;
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'rpc_reactivate_mentor', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_expected_updated_at at time zone 'UTC', p_reason)
    ) as f;
    if v_known then
      return query select a.* from jsonb_populate_record(null::public.peer_mentor_status, v_answer) as a where v_answer is not null;
      return;
    end if;
  end if;

  v_mentor := peerpause.change_status(p_mentor_id, 'active', peerpause.caller(), p_reason, null, null, p_expected_updated_at);
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

create function public.rpc_reactivate_mentor(
  p_mentor_id uuid,
  p_expected_updated_at timestamptz default null,
  p_reason text default null,
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
  from peerpause.reactivate_mentor(p_mentor_id, p_expected_updated_at, p_reason, p_idempotency_key) as s;
end
$$;
