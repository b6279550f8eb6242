-- The one way a status is changed on somebody's behalf. The caller has authorised; this locks, compares, checks and writes.
--
-- Locks the mentor's row (for update) before it looks at it. Answers null, having changed nothing, where the row has moved on
-- since p_expected_updated_at. Refuses: PT404 gone meanwhile; P0001 not a legal move; 22023 reason missing or unknown.
-- The trigger on the table judges the move and writes the history; nothing else is on the path.
create function peerpause.change_status(
  p_mentor_id uuid,
  p_to public.mentor_status,
  p_actor_id uuid,
  p_reason text,
  p_note text,
  p_expected_return_on date,
  p_expected_updated_at timestamptz,
  p_resigning boolean default false
)
returns public.peer_mentors
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_status public.mentor_status;
  v_updated_at timestamptz;
  v_mentor public.peer_mentors;
begin
  select p.status, p.updated_at into v_status, v_updated_at from public.peer_mentors as p where p.id = p_mentor_id for update;
  if not found then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id.';
  end if;
  if v_updated_at <> p_expected_updated_at then
    return null;
  end if;
  if v_status = p_to then
    perform peerpause.refuse_transition(v_status, p_to);
  end if;

  perform set_config(
    'peerpause.change',
    jsonb_build_object('actor_id', p_actor_id, 'reason', p_reason, 'note', p_note, 'resigning', p_resigning)::text,
    true
  );
  update public.peer_mentors as p
  set
    status = p_to,
    pause_at = null,
    pause_reason = case when p_to = 'paused' then p_reason end,
    pause_note = case when p_to = 'paused' then p_note end,
    expected_return_on = case when p_to = 'paused' then p_expected_return_on end
  where p.id = p_mentor_id
  returning * into v_mentor;
  perform set_config('peerpause.change', '', true);
  return v_mentor;
end
$$;
