-- Whether events have overtaken a notice: the certificate was renewed, the mentor is back, the planned pause was called off.
create function peerpause.is_overtaken(p_notice public.mentor_notices)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_notice.event
    when 'certification_expiring' then
      return not exists (
        select from public.certifications as c
        inner join public.peer_mentors as p on p.id = c.mentor_id
        where
          c.id = p_notice.certification_id
          and c.expires_on = (p_notice.facts ->> 'certification_expires_on')::date
          and p.status <> 'inactive'
          and not exists (
            select from public.certifications as n
            where n.mentor_id = c.mentor_id and n.kind = c.kind and coalesce(n.expires_on, 'infinity'::date) > c.expires_on
          )
      );
    when 'return_near', 'return_passed' then
      return not exists (
        select from public.peer_mentors as p
        where
          p.id = p_notice.mentor_id
          and p.status = 'paused'
          and p.expected_return_on = (p_notice.facts ->> 'expected_return_on')::date
      );
    when 'pause_about_to_start' then
      return not exists (
        select from public.scheduled_status_changes as s where s.mentor_id = p_notice.mentor_id and s.settled_at is null
      );
    else
      return false;
  end case;
end
$$;

-- Cancels what has been overtaken and has not gone out yet, for one mentor or (null) for all. Inbox entries stay. Answers how many
-- notices and deliveries.
create function peerpause.cancel_notices(p_mentor_id uuid)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_notices bigint;
  v_deliveries bigint;
begin
  update public.mentor_notices as n
  set cancelled_at = clock_timestamp()
  where
    n.told_at is null
    and n.cancelled_at is null
    and (p_mentor_id is null or n.mentor_id = p_mentor_id)
    and peerpause.is_overtaken(n);
  get diagnostics v_notices = row_count;
  delete from public.notification_deliveries as d
  using public.mentor_notices as n
  where
    d.notice_id = n.id
    and d.organisation_id = n.organisation_id
    and d.state = 'pending'
    and d.attempts = 0
    and (p_mentor_id is null or n.mentor_id = p_mentor_id)
    and peerpause.is_overtaken(n);
  get diagnostics v_deliveries = row_count;
  return v_notices + v_deliveries;
end
$$;

-- Certificates that run out within p_days days, today included: of a required kind, the latest of that kind, of mentors who have
-- not left. days_left is 0 on the last valid day.
create function peerpause.expiring_certificates(p_organisation_id uuid, p_days integer)
returns table (certification_id uuid, mentor_id uuid, expires_on date, days_left integer)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with here as materialized (
    select o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
    from public.organisations as o
    where o.id = p_organisation_id
  )
  select c.id, c.mentor_id, c.expires_on, c.expires_on - h.today
  from here as h
  inner join public.certifications as c on c.kind = any(h.kinds)
  inner join public.peer_mentors as p on p.id = c.mentor_id and p.status <> 'inactive'
  where
    c.organisation_id = p_organisation_id
    and c.expires_on between h.today and h.today + p_days
    and c.issued_on <= h.today
    and not exists (
      select from public.certifications as n
      where
        n.mentor_id = c.mentor_id
        and n.kind = c.kind
        and (coalesce(n.expires_on, 'infinity'::date), n.id) > (c.expires_on, c.id)
    );
end
$$;

-- Makes the notices that are due, organisation by organisation; each is made once, however often this runs.
--
--   1. brings back whose return date has come, where the organisation chose that;
--   2. cancels what has been overtaken;
--   3. certificates running out: to the mentor, for the nearest threshold of reminder_days that has been reached;
--   4. once a month: to the coordinators, what runs out within 60 days;
--   5. returns: to the mentor before the date, to mentor and coordinators when it has passed;
--   6. planned pauses: to both, on the day before.
--
-- For the service role. Answers {status, made, cancelled, returned}; status is already_running where another is at it.
create function peerpause.make_reminders()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_organisation record;
  v_today date;
  v_list_id uuid;
  v_returned bigint;
  v_cancelled bigint;
  v_rows bigint;
  v_made bigint := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('peerpause.reminders', 0)) then
    return jsonb_build_object('status', 'already_running', 'made', 0, 'cancelled', 0, 'returned', 0);
  end if;
  v_returned := peerpause.return_on_date();
  v_cancelled := peerpause.cancel_notices(null);

  for v_organisation in select o.* from public.organisations as o order by o.id loop
    v_today := peerpause.today(v_organisation.time_zone);

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, certification_id, facts)
    select
      v_organisation.id, e.mentor_id, 'certification_expiring', 'mentor', e.expires_on - t.days, e.certification_id,
      jsonb_build_object('certification_expires_on', e.expires_on)
    from peerpause.expiring_certificates(v_organisation.id, (select max(d.days) from unnest(v_organisation.reminder_days) as d (days))) as e
    cross join lateral (
      select min(d.days) as days from unnest(v_organisation.reminder_days) as d (days) where d.days >= e.days_left
    ) as t
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;

    if v_organisation.required_certification_kinds <> '{}' then
      insert into peerpause.expiring_lists (organisation_id, month)
      values (v_organisation.id, date_trunc('month', v_today)::date)
      on conflict (organisation_id, month) do nothing
      returning id into v_list_id;
      if found then
        insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, certification_id, facts, batch_id)
        select
          v_organisation.id, e.mentor_id, 'certification_expiring', 'coordinators', date_trunc('month', v_today)::date,
          e.certification_id, jsonb_build_object('certification_expires_on', e.expires_on), v_list_id
        from peerpause.expiring_certificates(v_organisation.id, 60) as e
        on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
        get diagnostics v_rows = row_count;
        v_made := v_made + v_rows;
      end if;
    end if;

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
    select
      v_organisation.id, p.id, 'return_near', 'mentor', p.expected_return_on - t.days,
      jsonb_build_object('expected_return_on', p.expected_return_on)
    from public.peer_mentors as p
    cross join lateral (
      select min(d.days) as days
      from unnest(v_organisation.return_reminder_days) as d (days)
      where d.days >= p.expected_return_on - v_today
    ) as t
    where
      p.organisation_id = v_organisation.id
      and p.status = 'paused'
      and p.expected_return_on >= v_today
      -- Whoever pauses for three days has just said so, and needs no reminder for a week before.
      and p.expected_return_on - t.days > (p.pause_at at time zone v_organisation.time_zone)::date
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
    select
      v_organisation.id, p.id, 'return_passed', 'both', p.expected_return_on + 1,
      jsonb_build_object('expected_return_on', p.expected_return_on)
    from public.peer_mentors as p
    where
      p.organisation_id = v_organisation.id
      and p.status = 'paused'
      and p.expected_return_on between v_today - 30 and v_today - 1
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
    select
      s.organisation_id, s.mentor_id, 'pause_about_to_start', 'both', (s.effective_at at time zone v_organisation.time_zone)::date - 1,
      jsonb_build_object(
        'pause_starts_on', (s.effective_at at time zone v_organisation.time_zone)::date,
        'expected_return_on', s.expected_return_on,
        'reason_code', s.reason
      )
    from public.scheduled_status_changes as s
    inner join public.peer_mentors as p on p.id = s.mentor_id and p.status = 'active'
    where
      s.organisation_id = v_organisation.id
      and s.settled_at is null
      and s.effective_at between v_now and v_now + interval '24 hours'
      and s.requested_at < s.effective_at - interval '24 hours'
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;
  end loop;
  return jsonb_build_object('status', 'made', 'made', v_made, 'cancelled', v_cancelled, 'returned', v_returned);
end
$$;

-- Ends the pauses whose return date has come, in organisations that chose so; nobody whose required certificate has lapsed.
-- One who cannot come back is named in a warning, and the rest go on. Locks: mentors in order of id, passing over what others hold.
create function peerpause.return_on_date()
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor_id uuid;
  v_returned bigint := 0;
begin
  for v_mentor_id in
    select p.id
    from public.organisations as o
    inner join public.peer_mentors as p on p.organisation_id = o.id
    where
      o.auto_return
      and p.status = 'paused'
      and p.expected_return_on <= peerpause.today(o.time_zone)
      and peerpause.blocking_lapse(p.id, o.id) is null
    order by p.id
    for update of p skip locked
  loop
    begin
      perform peerpause.change_status(v_mentor_id, 'active', null, 'return_date_reached', null, null, null);
      v_returned := v_returned + 1;
    exception
      when others then
        raise warning 'mentor % could not return on the date (SQLSTATE %)', v_mentor_id, sqlstate;
    end;
  end loop;
  return v_returned;
end
$$;
