-- Takes back what the twin of the same name added. Keys of requests over HTTP are forgotten with it.
-- Begins the pauses whose time has come, each exactly once. Called by the worker every few seconds; for the service role only.
--
-- Every mentor is looked at afresh: one who is no longer active is skipped, the row says so, and the coordinators are told. One who
-- cannot be paused is named in a warning and stays due; the rest go on. Locks: the scheduled row and the mentor's together, passing
-- over what others hold: many workers share the work, and one that never waits cannot deadlock with a person who holds the mentor
-- and plans anew.
-- Answers how many pauses began and how many were skipped.
create or replace function peerpause.apply_scheduled_changes(p_limit integer, out o_applied integer, out o_skipped integer)
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

-- Takes back a pause that has not begun.
-- Answers whether there was one. Refuses: 42501 not yours; PT404 no such mentor.
create or replace function peerpause.cancel_scheduled_pause(p_mentor_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return peerpause.settle_schedule(p_mentor_id, peerpause.caller(), 'cancelled');
end
$$;


-- Writes down a pause that starts later, in place of one that was planned before. Null where the row has moved on.
-- Locks the mentor's row. P0001: the mentor is not active.
create or replace function peerpause.schedule_pause(
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
  return v_mentor;
end
$$;

drop function peerpause.sort_chapter_mentors(uuid, text, text, text, boolean, integer, text, timestamptz, uuid);
drop function peerpause.applied_migrations();
drop function peerpause.settle_claim(text, timestamptz, jsonb);
drop function peerpause.extend_claim(text, timestamptz, interval);
drop function peerpause.claim_key(text, text, text, interval);
drop function peerpause.key_holder();
drop function peerpause.forget_allowances();
drop function peerpause.count_requests(text, text[], integer[], integer, boolean);

comment on column public.idempotency_keys.request is 'The function that was called.';
comment on column public.idempotency_keys.response is 'What the first call answered; null where it found a conflict and changed nothing.';
comment on column public.idempotency_keys.organisation_id is null;
alter table public.idempotency_keys drop column running_until;
delete from public.idempotency_keys where organisation_id is null;
alter table public.idempotency_keys alter column organisation_id set not null;

drop table peerpause.request_allowances;
