-- Who may do what: row-level security on every table, and every grant written out. An app's own policies on its tables stay.

alter table public.organisations enable row level security;
alter table public.organisations force row level security;
alter table public.chapters enable row level security;
alter table public.chapters force row level security;
alter table public.people enable row level security;
alter table public.people force row level security;
alter table public.peer_mentors enable row level security;
alter table public.peer_mentors force row level security;
alter table public.chapter_memberships enable row level security;
alter table public.chapter_memberships force row level security;
alter table public.coordinator_roles enable row level security;
alter table public.coordinator_roles force row level security;
alter table public.organisation_admins enable row level security;
alter table public.organisation_admins force row level security;
alter table public.certifications enable row level security;
alter table public.certifications force row level security;
alter table public.device_tokens enable row level security;
alter table public.device_tokens force row level security;
alter table peerpause.global_admins enable row level security;
alter table peerpause.global_admins force row level security;
alter table peerpause.adopted_tables enable row level security;
alter table peerpause.adopted_tables force row level security;
alter table peerpause.adopted_columns enable row level security;
alter table peerpause.adopted_columns force row level security;
alter table peerpause.adopted_grants enable row level security;
alter table peerpause.adopted_grants force row level security;

-- Beside an app, row security must not lock the app out of its own tables: its server's roles and the tables' owner keep the rows
-- they had. People who come in as anon or authenticated are not let through here: from now on the policies decide what they see.
do $$
declare
  v_adopted record;
  v_roles text;
begin
  for v_adopted in
    select t.table_name, t.row_security, t.force_row_security, pg_get_userbyid(c.relowner) as owner_name
    from peerpause.adopted_tables as t
    inner join pg_catalog.pg_class as c on c.relnamespace = 'public'::regnamespace and c.relname = t.table_name
    order by t.table_name
  loop
    select string_agg(distinct quote_ident(r.rolname), ', ' order by quote_ident(r.rolname))
    into v_roles
    from pg_catalog.pg_roles as r
    where
      not r.rolsuper
      and not r.rolbypassrls
      and r.rolname not in ('anon', 'authenticated')
      and (
        (r.rolname = v_adopted.owner_name and not (v_adopted.row_security and v_adopted.force_row_security))
        or (
          not v_adopted.row_security
          and exists (
            select from peerpause.adopted_grants as g
            where g.table_name = v_adopted.table_name and g.grantee = r.rolname
          )
        )
      );
    if v_roles is not null then
      execute format(
        'create policy "the app that was here before keeps its access" on public.%I to %s using (true) with check (true)',
        v_adopted.table_name, v_roles
      );
    end if;
    if v_adopted.row_security then
      continue;
    end if;
    if exists (
      select from peerpause.adopted_grants as g
      where g.table_name = v_adopted.table_name and g.grantee = 'public'
    ) then
      execute format(
        'create policy "whoever everyone was keeps access, but for people" on public.%I '
        || 'using (current_user not in (''anon'', ''authenticated'')) with check (current_user not in (''anon'', ''authenticated''))',
        v_adopted.table_name
      );
    end if;
    raise warning
      'public.% had no row-level security: from now on anon and authenticated see only what the policies allow',
      v_adopted.table_name;
  end loop;
end
$$;

-- Who belongs where: for the mentor, the chapter's coordinators and the admins.
create policy "people see the memberships they answer for and their own"
on public.chapter_memberships for select to authenticated
using (
  chapter_id = any((select peerpause.my_chapters())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or mentor_id = any((select peerpause.my_mentors())::uuid[])
);

grant select on public.chapter_memberships to authenticated;
grant select, insert, update, delete on public.chapter_memberships to service_role;

-- Read by the mentor, their coordinators and admins; granted through a function.
create policy "people see the overrides they answer for and their own"
on public.certification_overrides for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = certification_overrides.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.certification_overrides to authenticated;
grant select, insert, update, delete on public.certification_overrides to service_role;

-- Read by the mentor, their coordinators and admins; written by functions.
create policy "people see the certificates they answer for and their own"
on public.certifications for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = certifications.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.certifications to authenticated;
grant select, insert, update, delete on public.certifications to service_role;

-- Mentors and coordinators see their chapters, admins the organisation's.
create policy "people see the chapters they belong to"
on public.chapters for select to authenticated
using (
  id = any((select peerpause.my_chapters())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.chapter_id = chapters.id and m.mentor_id = any((select peerpause.my_mentors())::uuid[])
  )
);

grant select on public.chapters to authenticated;
grant select, insert, update, delete on public.chapters to service_role;

-- Coordinators see their own roles and those beside them in the same chapter; admins the organisation's.
create policy "coordinators see who shares their chapters"
on public.coordinator_roles for select to authenticated
using (
  user_id = (select auth.uid())
  or chapter_id = any((select peerpause.my_chapters())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.coordinator_roles to authenticated;
grant select, insert, update, delete on public.coordinator_roles to service_role;

-- Everyone sees their own devices.
create policy "people see their own devices"
on public.device_tokens for select to authenticated
using (
  user_id = (select auth.uid())
);

grant select on public.device_tokens to authenticated;
grant select, insert, update, delete on public.device_tokens to service_role;

-- For the functions alone: the row holds an answer, and nobody but its caller should see that. No policy lets a client in.
create policy "nobody reads the kept answers"
on public.idempotency_keys for select to authenticated
using (false);

grant select, delete on public.idempotency_keys to service_role;

-- Admins see all runs; coordinators see those they started.
create policy "admins see all runs and others those they started"
on public.job_runs for select to authenticated
using (
  started_by = (select auth.uid())
  or cardinality((select peerpause.my_organisations())::uuid[]) > 0
);

grant select on public.job_runs to authenticated;
grant select, insert, update, delete on public.job_runs to service_role;

-- The delivery log is for admins.
create policy "admins see the deliveries of their organisation"
on public.notification_deliveries for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.notification_deliveries to authenticated;
grant select, insert, update, delete on public.notification_deliveries to service_role;

-- Everyone reads their own inbox; they may say that they have read or acknowledged an entry.
create policy "people see their own inbox"
on public.notifications for select to authenticated
using (
  recipient_id = (select auth.uid())
);

grant select on public.notifications to authenticated;
grant select, insert, update, delete on public.notifications to service_role;

create policy "people mark their own inbox"
on public.notifications for update to authenticated
using (recipient_id = (select auth.uid()))
with check (recipient_id = (select auth.uid()));

grant update (read_at, acknowledged_at) on public.notifications to authenticated;

-- Admins see who else is one.
create policy "admins see the admins of their organisation"
on public.organisation_admins for select to authenticated
using (
  user_id = (select auth.uid())
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.organisation_admins to authenticated;
grant select, insert, update, delete on public.organisation_admins to service_role;

-- Whoever has a part in an organisation sees it.
create policy "people see the organisations they belong to"
on public.organisations for select to authenticated
using (
  id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.peer_mentors as p
    where p.organisation_id = organisations.id and p.user_id = (select auth.uid())
  )
  or exists (
    select from public.coordinator_roles as r
    where r.organisation_id = organisations.id and r.user_id = (select auth.uid()) and r.active
  )
);

grant select on public.organisations to authenticated;
grant select, insert, update, delete on public.organisations to service_role;

-- Whoever may see a mentor may see the mentor's history. Nobody writes here but the trigger; the service role marks a row as told,
-- which another trigger lets it do once.
create policy "people see the history they answer for and their own"
on public.peer_mentor_status_history for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentor_status_history.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.peer_mentor_status_history to authenticated, service_role;
grant update (told_at) on public.peer_mentor_status_history to service_role;

-- Mentors see themselves, coordinators the mentors of their chapters, admins the whole organisation. Each sub-select runs once
-- per statement. Coordinators and admins may change a status by a plain update; mentors go through the functions only.
create policy "people see the mentors they answer for and themselves"
on public.peer_mentors for select to authenticated
using (
  user_id = (select auth.uid())
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentors.id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

create policy "coordinators and admins change the mentors they answer for"
on public.peer_mentors for update to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentors.id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
)
with check (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = peer_mentors.id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.peer_mentors to authenticated;
grant update (status, pause_at, pause_reason, pause_note, expected_return_on) on public.peer_mentors to authenticated;
grant select, insert, update, delete on public.peer_mentors to service_role;

-- Everyone sees their own entry. Others' names and addresses are reached through functions only.
create policy "people see themselves"
on public.people for select to authenticated
using (
  user_id = (select auth.uid())
);

grant select on public.people to authenticated;
grant select, insert, update, delete on public.people to service_role;

-- Planned pauses: for the mentor, their coordinators and admins.
create policy "people see the planned pauses they answer for and their own"
on public.scheduled_status_changes for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = scheduled_status_changes.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.scheduled_status_changes to authenticated;
grant select, insert, update, delete on public.scheduled_status_changes to service_role;

-- Admins see where their organisation's webhooks go, but not the secret.
create policy "admins see the webhooks of their organisation"
on public.webhook_endpoints for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select (id, organisation_id, url, active, created_by, created_at) on public.webhook_endpoints to authenticated;
grant select, insert, update, delete on public.webhook_endpoints to service_role;

grant select on public.peer_mentor_status, public.mentor_status_history to authenticated, service_role;

-- Who may call what. Everything is closed first, because PostgreSQL opens new functions to everyone.
revoke all on all functions in schema peerpause from public, anon, authenticated, service_role;
revoke all on schema peerpause from public, anon, authenticated, service_role;
grant usage on schema peerpause to anon, authenticated, service_role;

-- What policies and constraints call in the reader's name.
grant execute on function
peerpause.my_chapters(),
peerpause.my_organisations(),
peerpause.my_mentors()
to authenticated;

-- What the guard calls in the name of a coordinator who updates a row directly.
grant execute on function
peerpause.guard_peer_mentor(),
peerpause.is_valid_transition(public.mentor_status, public.mentor_status),
peerpause.refuse_transition(public.mentor_status, public.mentor_status),
peerpause.reason_codes(),
peerpause.system_reason_codes(),
peerpause.refuse_reason(text),
peerpause.refuse_system_reason(text),
peerpause.require_return_date(date, timestamptz, uuid),
peerpause.blocking_lapse_for_caller(uuid),
peerpause.require_limit(integer)
to authenticated, service_role;

-- What the guard calls in the name of the service role; it tells of any mentor.
grant execute on function peerpause.blocking_lapse(uuid, uuid) to service_role;

-- The work behind the functions of public: each checks the caller itself.
grant execute on function
peerpause.update_mentor_status(uuid, text, uuid, text, timestamptz, text),
peerpause.pause_mentor(uuid, text, timestamptz, date, text, timestamptz, text),
peerpause.reactivate_mentor(uuid, timestamptz, text, text),
peerpause.deactivate_mentor(uuid, text, text, timestamptz, text),
peerpause.cancel_scheduled_pause(uuid),
peerpause.list_chapter_mentors(uuid, text, text, integer, text, uuid),
peerpause.register_device_token(text, text, text),
peerpause.release_device_token(text),
peerpause.run_certification_expiry(uuid[]),
peerpause.certification_watchdog()
to authenticated, service_role;

grant execute on function peerpause.public_chapter_roster(uuid) to anon, authenticated, service_role;

-- The functions clients call.
revoke all on function
public.update_mentor_status(uuid, text, uuid, text, timestamptz, text),
public.rpc_pause_mentor(uuid, text, timestamptz, date, text, timestamptz, text),
public.rpc_reactivate_mentor(uuid, timestamptz, text, text),
public.rpc_deactivate_mentor(uuid, text, text, timestamptz, text),
public.rpc_cancel_scheduled_pause(uuid),
public.get_mentor_status(uuid),
public.get_mentor_status_history(uuid, integer, timestamptz),
public.list_chapter_mentors(uuid, text, text, integer, text, uuid),
public.register_device_token(text, text, text),
public.release_device_token(text),
public.run_certification_expiry(uuid[]),
public.certification_watchdog(),
public.public_chapter_roster(uuid)
from public, anon, authenticated, service_role;

grant execute on function
public.update_mentor_status(uuid, text, uuid, text, timestamptz, text),
public.rpc_pause_mentor(uuid, text, timestamptz, date, text, timestamptz, text),
public.rpc_reactivate_mentor(uuid, timestamptz, text, text),
public.rpc_deactivate_mentor(uuid, text, text, timestamptz, text),
public.rpc_cancel_scheduled_pause(uuid),
public.get_mentor_status(uuid),
public.get_mentor_status_history(uuid, integer, timestamptz),
public.list_chapter_mentors(uuid, text, text, integer, text, uuid),
public.register_device_token(text, text, text),
public.release_device_token(text),
public.run_certification_expiry(uuid[]),
public.certification_watchdog()
to authenticated, service_role;

grant execute on function public.public_chapter_roster(uuid) to anon, authenticated, service_role;

-- Background work is the service role's alone.
grant execute on function
peerpause.time_ordered_uuid(),
peerpause.apply_scheduled_changes(integer),
peerpause.coordinators_of(uuid[]),
peerpause.after_quiet_hours(timestamptz, time, time, text),
peerpause.bulk_moment(timestamptz, uuid),
peerpause.lapsed_mentors(uuid[], uuid, integer),
peerpause.expire_batch(uuid, uuid[], uuid, integer),
peerpause.finish_job_run(uuid)
to service_role;
