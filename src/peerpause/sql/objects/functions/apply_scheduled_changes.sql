-- Begins the pauses whose time has come, each exactly once. Called by the worker every few seconds; for the service role only.
--
-- Every mentor is looked at afresh: one who is no longer active is skipped, and the row says so. Locks: the scheduled row
-- (skip locked, so that many workers share the work), then the mentor's. Answers how many pauses began and how many were skipped.
create function peerpause.apply_scheduled_changes(p_limit integer, out o_applied integer, out o_skipped integer)
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_due record;
  v_mentor public.peer_mentors;
begin
  o_applied := 0;
  o_skipped := 0;
  for v_due in
    select s.*
    from public.scheduled_status_changes as s
    where s.settled_at is null and s.effective_at <= clock_timestamp()
    order by s.effective_at
    limit p_limit
    for update skip locked
  loop
    select * into v_mentor from public.peer_mentors as p where p.id = v_due.mentor_id for update;
    if v_mentor.status = 'active' then
      v_mentor := peerpause.change_status(
        v_due.mentor_id, 'paused', v_due.requested_by, v_due.reason, v_due.note, v_due.expected_return_on, null
      );
      perform peerpause.settle_schedule(v_due.mentor_id, null, 'applied');
      o_applied := o_applied + 1;
    else
      perform peerpause.settle_schedule(v_due.mentor_id, null, 'skipped');
      o_skipped := o_skipped + 1;
    end if;
  end loop;
end
$$;
