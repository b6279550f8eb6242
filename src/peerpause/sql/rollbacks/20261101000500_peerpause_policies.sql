-- Takes back who may do what. The functions are closed by the private schema; an app's own policies, grants and row security on its
-- tables are again as they were.

-- 1. The functions. PostgreSQL lets everybody call a function until somebody says otherwise.
revoke all on schema peerpause from anon, authenticated, service_role;
revoke all on all functions in schema peerpause from anon, authenticated, service_role;
grant execute on all functions in schema peerpause to public;

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
from anon, authenticated, service_role;

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
public.certification_watchdog(),
public.public_chapter_roster(uuid)
to public;

-- 2. The views and the tables that are ours alone.
revoke all on table public.peer_mentor_status, public.mentor_status_history from authenticated, service_role;

revoke all on table
public.peer_mentor_status_history,
public.scheduled_status_changes,
public.idempotency_keys,
public.job_runs,
public.certification_overrides,
public.notification_deliveries,
public.notifications,
public.webhook_endpoints
from authenticated, service_role;

-- 3. The directory: what was granted there before us stays.
revoke update (status, pause_at, pause_reason, pause_note, expected_return_on) on public.peer_mentors from authenticated;

do $$
declare
  v_ours record;
  v_theirs record;
begin
  for v_ours in
    select d.table_name, g.grantee, g.privilege
    from unnest(array[
      'organisations', 'chapters', 'people', 'peer_mentors', 'chapter_memberships',
      'coordinator_roles', 'organisation_admins', 'certifications', 'device_tokens'
    ]) as d (table_name)
    cross join (
      values
      ('authenticated', 'SELECT'),
      ('service_role', 'SELECT'), ('service_role', 'INSERT'), ('service_role', 'UPDATE'), ('service_role', 'DELETE')
    ) as g (grantee, privilege)
    where not exists (
      select from peerpause.adopted_grants as a
      where a.table_name = d.table_name and a.column_name = '' and a.grantee = g.grantee and a.privilege = g.privilege
    )
  loop
    execute format('revoke %s on table public.%I from %I', v_ours.privilege, v_ours.table_name, v_ours.grantee);
    -- Taking a privilege on a table takes it on each column too.
    for v_theirs in
      select a.column_name
      from peerpause.adopted_grants as a
      where
        a.table_name = v_ours.table_name
        and a.column_name <> ''
        and a.grantee = v_ours.grantee
        and a.privilege = v_ours.privilege
    loop
      execute format(
        'grant %s (%I) on table public.%I to %I',
        v_ours.privilege, v_theirs.column_name, v_ours.table_name, v_ours.grantee
      );
    end loop;
  end loop;
end
$$;

-- 4. The policies.
drop policy "admins see the webhooks of their organisation" on public.webhook_endpoints;
drop policy "people see the planned pauses they answer for and their own" on public.scheduled_status_changes;
drop policy "people see themselves" on public.people;
drop policy "coordinators and admins change the mentors they answer for" on public.peer_mentors;
drop policy "people see the mentors they answer for and themselves" on public.peer_mentors;
drop policy "people see the history they answer for and their own" on public.peer_mentor_status_history;
drop policy "people see the organisations they belong to" on public.organisations;
drop policy "admins see the admins of their organisation" on public.organisation_admins;
drop policy "people mark their own inbox" on public.notifications;
drop policy "people see their own inbox" on public.notifications;
drop policy "admins see the deliveries of their organisation" on public.notification_deliveries;
drop policy "admins see all runs and others those they started" on public.job_runs;
drop policy "nobody reads the kept answers" on public.idempotency_keys;
drop policy "people see their own devices" on public.device_tokens;
drop policy "coordinators see who shares their chapters" on public.coordinator_roles;
drop policy "people see the chapters they belong to" on public.chapters;
drop policy "people see the certificates they answer for and their own" on public.certifications;
drop policy "people see the overrides they answer for and their own" on public.certification_overrides;
drop policy "people see the memberships they answer for and their own" on public.chapter_memberships;

do $$
declare
  v_table text;
begin
  for v_table in select t.table_name from peerpause.adopted_tables as t order by t.table_name loop
    execute format('drop policy if exists "the app that was here before keeps its access" on public.%I', v_table);
    execute format('drop policy if exists "whoever everyone was keeps access, but for people" on public.%I', v_table);
  end loop;
end
$$;

-- 5. Row security of the directory, as it was. The tables of migration 300 keep theirs: they were made with it.
do $$
declare
  v_table record;
begin
  for v_table in
    select d.table_name, coalesce(t.row_security, false) as row_security, coalesce(t.force_row_security, false) as force_row_security
    from unnest(array[
      'organisations', 'chapters', 'people', 'peer_mentors', 'chapter_memberships',
      'coordinator_roles', 'organisation_admins', 'certifications', 'device_tokens'
    ]) as d (table_name)
    left join peerpause.adopted_tables as t on t.table_name = d.table_name
  loop
    if not v_table.row_security then
      execute format('alter table public.%I disable row level security', v_table.table_name);
    end if;
    if not v_table.force_row_security then
      execute format('alter table public.%I no force row level security', v_table.table_name);
    end if;
  end loop;
end
$$;

alter table peerpause.global_admins disable row level security;
alter table peerpause.global_admins no force row level security;
alter table peerpause.adopted_tables disable row level security;
alter table peerpause.adopted_tables no force row level security;
alter table peerpause.adopted_columns disable row level security;
alter table peerpause.adopted_columns no force row level security;
alter table peerpause.adopted_grants disable row level security;
alter table peerpause.adopted_grants no force row level security;
