-- What mentors' own pages need: a change of the expected return while the pause goes on, with its record, and what decides whether a
-- mentor may be active and is shown to the public.

-- 1. The record.
-- One row for every time the expected return of a running pause was changed. Append-only. It stands beside the history and not in it,
-- because the history holds changes of the status and this is none.
create table public.expected_return_changes (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  previous_return_on date,
  expected_return_on date,
  changed_by uuid,
  changed_at timestamptz not null,
  primary key (organisation_id, id),
  constraint expected_return_changes_mentor foreign key (organisation_id, mentor_id)
    references public.peer_mentors (organisation_id, id),
  constraint expected_return_changes_change_something check (expected_return_on is distinct from previous_return_on)
);

comment on table public.expected_return_changes is 'Append-only: who moved the expected return of a running pause, and when.';
comment on column public.expected_return_changes.previous_return_on is 'The day that was expected until then; null where none was.';
comment on column public.expected_return_changes.expected_return_on is 'The day expected from then on; null for a pause without an end in sight.';
comment on column public.expected_return_changes.changed_by is 'The person who did it; null means the system.';
comment on column public.expected_return_changes.changed_at is 'Equals the mentor row''s updated_at after the change.';

create index expected_return_changes_mentor_idx on public.expected_return_changes (mentor_id, changed_at desc);

alter table public.expected_return_changes enable row level security;
alter table public.expected_return_changes force row level security;
revoke all on table public.expected_return_changes from public, anon, authenticated, service_role;

-- Append-only: what was recorded of an expected return is never changed and never removed. The one exception is our own functions, which
-- may put a pseudonym in the place of the person who did it, and touch nothing else.
create function peerpause.refuse_change_of_return()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    tg_op = 'UPDATE'
    and not row_security_active(tg_relid)
    and old.changed_by is not null
    and new.changed_by is not null
    and to_jsonb(old) - 'changed_by' = to_jsonb(new) - 'changed_by'
  then
    return new;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded. Record anew what holds from now on.';
end
$$;

-- What was recorded stays: row by row, and also for a statement that would empty the table.
create trigger peerpause_append_only
before update or delete on public.expected_return_changes
for each row
execute function peerpause.refuse_change_of_return();

create trigger peerpause_append_only_truncate
before truncate on public.expected_return_changes
for each statement
execute function peerpause.refuse_change_of_return();

-- Read by the mentor, their coordinators and admins; written by a function.
create policy "people see the changed returns they answer for and their own"
on public.expected_return_changes for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = expected_return_changes.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.expected_return_changes to authenticated, service_role;

-- 2. The change.
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

-- 3. What pages ask.
-- What decides today whether a mentor may be active and is on the public page, for those who may change the mentor: always one row.
-- today is the organisation's; covered_until is the last day of an admin's override that is in force.
-- PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.standing_of_mentor(p_mentor_id uuid)
returns table (
  today date,
  required_kinds text[],
  is_certified boolean,
  blocking_lapse date,
  covered_until date,
  is_public boolean
)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
begin
  return query
  select
    t.today,
    o.required_certification_kinds,
    c.is_certified,
    peerpause.blocking_lapse(p.id, o.id),
    (
      select max(v.valid_until)
      from public.certification_overrides as v
      where v.mentor_id = p.id and v.valid_until >= t.today
    ),
    p.status = 'active' and p.listed and c.is_certified
  from public.peer_mentors as p
  inner join public.organisations as o on o.id = p.organisation_id
  cross join lateral (select peerpause.today(o.time_zone) as today) as t
  cross join lateral (select peerpause.is_certified(p.id, o.required_certification_kinds, t.today) as is_certified) as c
  where p.id = p_mentor_id and o.id = v_organisation_id;
end
$$;

-- The mentor's chapters by name, and whether any other mentor is active there, for those who may change the mentor: so that a page
-- can say beforehand that a pause leaves a chapter with nobody. PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.chapters_of_mentor(p_mentor_id uuid)
returns table (chapter_id uuid, name text, has_others_active boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select
    c.id,
    c.name,
    exists (
      select from public.chapter_memberships as o
      inner join public.peer_mentors as p on p.id = o.mentor_id
      where o.chapter_id = c.id and o.mentor_id <> p_mentor_id and p.status = 'active'
    )
  from public.chapter_memberships as m
  inner join public.chapters as c on c.id = m.chapter_id
  where m.mentor_id = p_mentor_id
  order by c.name, c.id;
end
$$;

-- The names behind changed_by in a mentor's history, for those who may read that history: whoever changed the mentor's status or
-- the expected return.
-- A person who is no longer in the directory has no row. PT404, 42501: as peerpause.authorise. Takes no lock.
create or replace function peerpause.actors_of_mentor(p_mentor_id uuid)
returns table (user_id uuid, display_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select p.user_id, p.display_name
  from public.people as p
  where p.user_id in (
    select h.changed_by
    from public.peer_mentor_status_history as h
    where h.mentor_id = p_mentor_id
    union all
    select r.changed_by
    from public.expected_return_changes as r
    where r.mentor_id = p_mentor_id
  );
end
$$;

-- 4. Who may call it.
-- What a mentor's page asks and changes beside the status: each checks the caller itself.
revoke all on function
peerpause.refuse_change_of_return(),
peerpause.update_expected_return(uuid, date, timestamptz, text),
peerpause.standing_of_mentor(uuid),
peerpause.chapters_of_mentor(uuid),
public.update_expected_return(uuid, date, timestamptz, text)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.update_expected_return(uuid, date, timestamptz, text),
peerpause.standing_of_mentor(uuid),
peerpause.chapters_of_mentor(uuid),
public.update_expected_return(uuid, date, timestamptz, text)
to authenticated, service_role;
