-- Changes when a paused mentor is expected back, without ending the pause: another day, or (null) none in sight.
--
-- Answers the peer_mentor_status row; no row, with nothing changed, where the row has moved on since p_expected_updated_at. Leaves a
-- row in expected_return_changes, and none where that day was expected already. Reminders follow the new day by themselves. Pages
-- that are open hear of it; nobody gets a push, for the mentor is as far away as before.
-- Refuses: P0001 the mentor is not paused; 22023 a day in the past; 42501 not yours; PT404 no such mentor.
-- Locks: the key's row if one is given, then the mentor's row.
create function peerpause.update_expected_return(
  p_mentor_id uuid,
  p_expected_return_on date,
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
  v_mentor public.peer_mentors;
  v_previous date;
  v_change_id uuid;
  v_known boolean;
  v_answer jsonb;
begin
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'update_expected_return', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_expected_return_on, p_expected_updated_at at time zone 'UTC')
    ) as f;
    if v_known then
      return query select a.* from jsonb_populate_record(null::public.peer_mentor_status, v_answer) as a where v_answer is not null;
      return;
    end if;
  end if;

  perform peerpause.require_return_date(p_expected_return_on, peerpause.clock(), v_organisation_id);
  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  if v_mentor.updated_at is distinct from coalesce(p_expected_updated_at, v_mentor.updated_at) then
    v_mentor := null;
  elsif v_mentor.status <> 'paused' then
    -- Somebody who is active is back already; somebody who has left has no pause.
    perform peerpause.refuse_transition(
      v_mentor.status, case when v_mentor.status = 'active' then 'active' else 'paused' end::public.mentor_status
    );
  elsif v_mentor.expected_return_on is distinct from p_expected_return_on then
    v_previous := v_mentor.expected_return_on;
    update public.peer_mentors as p
    set expected_return_on = p_expected_return_on
    where p.id = p_mentor_id
    returning * into v_mentor;
    insert into public.expected_return_changes (
      organisation_id, mentor_id, previous_return_on, expected_return_on, changed_by, changed_at
    )
    values (v_organisation_id, p_mentor_id, v_previous, p_expected_return_on, peerpause.caller(), v_mentor.updated_at)
    returning id into v_change_id;
    perform pg_notify('peerpause_told', v_organisation_id || ' ' || v_change_id);
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

create function public.update_expected_return(
  p_mentor_id uuid,
  p_expected_return_on date,
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
  from peerpause.update_expected_return(p_mentor_id, p_expected_return_on, p_expected_updated_at, p_idempotency_key) as s;
end
$$;
