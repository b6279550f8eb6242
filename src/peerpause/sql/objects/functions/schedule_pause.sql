-- Writes down a pause that starts later, in place of one that was planned before. Null where the row has moved on.
-- Moves updated_at on. Locks the mentor's row. P0001: the mentor is not active.
create function peerpause.schedule_pause(
  p_mentor_id uuid,
  p_actor_id uuid,
  p_reason text,
  p_note text,
  p_pause_at timestamptz,
  p_expected_return_on date,
  p_expected_updated_at timestamptz
)
returns public.peer_mentors
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor public.peer_mentors;
begin
  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  if v_mentor.updated_at <> p_expected_updated_at then
    return null;
  end if;
  if v_mentor.status <> 'active' then
    perform peerpause.refuse_transition(v_mentor.status, 'paused');
  end if;
  perform peerpause.settle_schedule(p_mentor_id, p_actor_id, 'superseded');
  insert into public.scheduled_status_changes (
    organisation_id, mentor_id, new_status, effective_at, reason, note, expected_return_on, requested_by
  )
  values (v_mentor.organisation_id, p_mentor_id, 'paused', p_pause_at, p_reason, p_note, p_expected_return_on, p_actor_id);
  -- A plan is part of what clients see, so the token moves on with it.
  update public.peer_mentors as p set updated_at = p.updated_at where p.id = p_mentor_id returning * into v_mentor;
  return v_mentor;
end
$$;
