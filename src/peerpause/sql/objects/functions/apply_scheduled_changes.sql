-- Begins the pauses whose time has come, each exactly once. Called by the worker every few seconds; for the service role only.
--
-- Every mentor is looked at afresh: one who is no longer active is skipped, the row says so, and the coordinators are told. One who
-- cannot be paused is named in a warning and stays due; the rest go on. Locks: the scheduled row and the mentor's together, passing
-- over what others hold: many workers share the work, and one that never waits cannot deadlock with a person who holds the mentor
-- and plans anew.
-- Answers how many pauses began and how many were skipped.
create function peerpause.apply_scheduled_changes(p_limit integer, out o_applied integer, out o_skipped integer)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_due record;
begin
  o_applied := 0;
  o_skipped := 0;
  for v_due in
    select s.organisation_id, s.mentor_id, s.reason, s.note, s.expected_return_on, s.requested_by, s.effective_at, p.status
    from public.scheduled_status_changes as s
    inner join public.peer_mentors as p on p.id = s.mentor_id
    where s.settled_at is null and s.effective_at <= clock_timestamp()
    order by s.effective_at
    limit p_limit
    for update of s, p skip locked
  loop
    if v_due.status <> 'active' then
      perform peerpause.settle_schedule(v_due.mentor_id, null, 'skipped');
      update public.peer_mentors as p set updated_at = p.updated_at where p.id = v_due.mentor_id;
      insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
      values (
        v_due.organisation_id, v_due.mentor_id, 'planned_pause_skipped', 'coordinators', (v_due.effective_at at time zone 'UTC')::date,
        jsonb_build_object('reason_code', v_due.reason)
      )
      on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
      o_skipped := o_skipped + 1;
      continue;
    end if;
    begin
      perform peerpause.change_status(
        v_due.mentor_id, 'paused', v_due.requested_by, v_due.reason, v_due.note, v_due.expected_return_on, null
      );
      perform peerpause.settle_schedule(v_due.mentor_id, null, 'applied');
      o_applied := o_applied + 1;
    exception
      when others then
        raise warning 'the planned pause of mentor % could not begin (SQLSTATE %)', v_due.mentor_id, sqlstate;
    end;
  end loop;
end
$$;
