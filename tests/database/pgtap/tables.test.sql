-- Every table: row security that binds its owner too, the policies it has and no others, and who holds which right to it.
begin;
create extension if not exists pgtap;
select no_plan();

create temp table ours as
select n.nspname as schema_name, c.relname as table_name, c.relrowsecurity, c.relforcerowsecurity
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('public', 'peerpause') and c.relkind in ('r', 'p');

select ok(o.relrowsecurity, format('%s.%s has row security', o.schema_name, o.table_name))
from ours as o;

select ok(o.relforcerowsecurity, format('%s.%s binds its owner too', o.schema_name, o.table_name))
from ours as o;

create temp table expected (table_name name, policies name[], authenticated_rights text[], service_rights text[]);
insert into expected
values
  ('organisations', '{people see the organisations they belong to}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('chapters', '{people see the chapters they belong to}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('people', '{people see themselves}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  (
    'peer_mentors',
    '{people see the mentors they answer for and themselves,coordinators and admins change the mentors they answer for}',
    '{}', '{SELECT,INSERT,UPDATE,DELETE}'
  ),
  ('chapter_memberships', '{people see the memberships they answer for and their own}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('coordinator_roles', '{coordinators see who shares their chapters}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('organisation_admins', '{admins see the admins of their organisation}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('certifications', '{people see the certificates they answer for and their own}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('certification_overrides', '{people see the overrides they answer for and their own}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('device_tokens', '{people see their own devices}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('peer_mentor_status_history', '{people see the history they answer for and their own}', '{}', '{SELECT}'),
  (
    'scheduled_status_changes', '{people see the planned pauses they answer for and their own}', '{}',
    '{SELECT,INSERT,UPDATE,DELETE}'
  ),
  ('idempotency_keys', '{nobody reads the kept answers}', '{}', '{SELECT,DELETE}'),
  ('job_runs', '{"admins see their own runs and the nightly, others their own"}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('notification_deliveries', '{admins see the deliveries of their organisation}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('notifications', '{people see their own inbox,people mark their own inbox}', '{SELECT}', '{SELECT,INSERT,UPDATE,DELETE}'),
  ('webhook_endpoints', '{admins see the webhooks of their organisation}', '{}', '{SELECT,INSERT,UPDATE,DELETE}');

-- What holds for every table, whether written down above or not: signed-in people hold no right but to read, and where they do a
-- policy says what.
select ok(
  exists (select from pg_policies as p where p.schemaname = 'public' and p.tablename = o.table_name)
  or not has_any_column_privilege('authenticated', format('public.%I', o.table_name), 'select'),
  format('%s says who sees what', o.table_name)
)
from ours as o
where o.schema_name = 'public';
select ok(
  not has_table_privilege(r.role, format('%I.%I', o.schema_name, o.table_name), p.privilege),
  format('%s may not %s %s', r.role, p.privilege, o.table_name)
)
from
  ours as o,
  unnest('{anon,authenticated}'::text[]) as r (role),
  unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) as p (privilege)
where r.role = 'anon' or p.privilege <> 'select';

select policies_are('public', e.table_name, e.policies, format('%s has these policies and no others', e.table_name))
from expected as e;
select policy_roles_are('public', p.tablename, p.policyname, array['authenticated'], format('"%s" is for signed-in people', p.policyname))
from pg_policies as p
where p.schemaname = 'public';
select is(p.permissive, 'PERMISSIVE', format('"%s" is an ordinary policy', p.policyname))
from pg_policies as p
where p.schemaname = 'public';

select table_privs_are('public', e.table_name, 'anon', '{}', format('anon has no right to %s', e.table_name)) from expected as e;
select table_privs_are('public', e.table_name, 'authenticated', e.authenticated_rights) from expected as e;
select table_privs_are('public', e.table_name, 'service_role', e.service_rights) from expected as e;

select table_privs_are('public', v.view_name, 'anon', '{}'::name[], v.view_name || ' is closed to anon')
from (values ('peer_mentor_status'), ('mentor_status_history')) as v (view_name);
select table_privs_are('public', v.view_name, 'authenticated', '{SELECT}'::name[], v.view_name || ' is read by people')
from (values ('peer_mentor_status'), ('mentor_status_history')) as v (view_name);

select table_privs_are('peerpause', o.table_name, r.role, '{}', format('%s has no right to peerpause.%s', r.role, o.table_name))
from ours as o, unnest('{anon,authenticated}'::name[]) as r (role)
where o.schema_name = 'peerpause';
select policies_are('peerpause', o.table_name, '{}', format('peerpause.%s lets nobody in', o.table_name))
from ours as o
where o.schema_name = 'peerpause';

-- The columns that signed-in people may write.
select set_eq(
  $$
    select c.table_name::text || '.' || c.column_name::text
    from information_schema.column_privileges as c
    where c.table_schema = 'public' and c.grantee = 'authenticated' and c.privilege_type in ('INSERT', 'UPDATE', 'REFERENCES')
  $$,
  array[
    'peer_mentors.status', 'peer_mentors.pause_at', 'peer_mentors.pause_reason', 'peer_mentors.pause_note',
    'peer_mentors.expected_return_on', 'notifications.read_at', 'notifications.acknowledged_at'
  ],
  'signed-in people write the status and its facts, and the marks on their inbox'
);
select column_privs_are('public', 'webhook_endpoints', 'secret', 'authenticated', '{}', 'nobody reads the secret of a webhook');
select column_privs_are('public', n.table_name, n.column_name, 'authenticated', n.rights, 'notes are read by functions that record it')
from (
  values
    ('peer_mentors', 'pause_note', '{UPDATE}'::name[]),
    ('peer_mentor_status_history', 'note', '{}'::name[]),
    ('scheduled_status_changes', 'note', '{}'::name[])
) as n (table_name, column_name, rights);
select column_privs_are('public', 'webhook_endpoints', 'url', 'authenticated', '{SELECT}', 'admins read where a webhook goes');
select column_privs_are('public', 'peer_mentor_status_history', 'told_at', 'service_role', '{SELECT,UPDATE}', 'the outbox marks what it told');
select column_privs_are('public', 'peer_mentor_status_history', 'note', 'service_role', '{SELECT}', 'and changes nothing else of the history');

select * from finish();
rollback;
