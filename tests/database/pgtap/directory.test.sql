-- Who sees which organisations, chapters, roles, people and devices.
begin;
\ir world.psql
select no_plan();

select is(
  pg_temp.seen(e.who, format('select %I from public.%I', e.column_name, e.table_name), ''),
  e.names,
  format('%s sees in %s: %s', e.who, e.table_name, e.names)
)
from (
  values
    ('organisations', 'id', 'ada', 'first'),
    ('organisations', 'id', 'bo', 'first'),
    ('organisations', 'id', 'dag', 'first'),
    ('organisations', 'id', 'eva', 'other'),
    ('organisations', 'id', 'hal', 'first other'),
    ('organisations', 'id', 'ida', 'nothing'),
    ('organisations', 'id', 'stranger', 'nothing'),
    ('organisations', 'id', 'anon', '42501'),
    ('organisations', 'id', 'service_role', 'first other'),
    ('chapters', 'id', 'ada', 'north'),
    ('chapters', 'id', 'finn', 'north south'),
    ('chapters', 'id', 'bo', 'north'),
    ('chapters', 'id', 'cy', 'south'),
    ('chapters', 'id', 'dag', 'north south'),
    ('chapters', 'id', 'eva', 'elsewhere'),
    ('chapters', 'id', 'hal', 'elsewhere north south'),
    ('chapters', 'id', 'ida', 'nothing'),
    ('chapters', 'id', 'stranger', 'nothing'),
    ('chapters', 'id', 'anon', '42501'),
    ('chapters', 'id', 'service_role', 'elsewhere north south'),
    ('coordinator_roles', 'user_id', 'ada', 'nothing'),
    ('coordinator_roles', 'user_id', 'bo', 'bo ida'),
    ('coordinator_roles', 'user_id', 'cy', 'cy'),
    ('coordinator_roles', 'user_id', 'dag', 'bo cy ida'),
    ('coordinator_roles', 'user_id', 'eva', 'eva'),
    ('coordinator_roles', 'user_id', 'hal', 'bo cy eva ida'),
    ('coordinator_roles', 'user_id', 'ida', 'ida'),
    ('coordinator_roles', 'user_id', 'stranger', 'nothing'),
    ('coordinator_roles', 'user_id', 'anon', '42501'),
    ('organisation_admins', 'user_id', 'ada', 'nothing'),
    ('organisation_admins', 'user_id', 'bo', 'nothing'),
    ('organisation_admins', 'user_id', 'dag', 'dag'),
    ('organisation_admins', 'user_id', 'eva', 'eva'),
    ('organisation_admins', 'user_id', 'hal', 'dag eva'),
    ('organisation_admins', 'user_id', 'stranger', 'nothing'),
    ('organisation_admins', 'user_id', 'anon', '42501'),
    ('people', 'user_id', 'ada', 'ada'),
    ('people', 'user_id', 'bo', 'bo'),
    ('people', 'user_id', 'dag', 'dag'),
    ('people', 'user_id', 'hal', 'hal'),
    ('people', 'user_id', 'stranger', 'nothing'),
    ('people', 'user_id', 'anon', '42501'),
    ('device_tokens', 'user_id', 'ada', 'ada'),
    ('device_tokens', 'user_id', 'bo', 'bo'),
    ('device_tokens', 'user_id', 'dag', 'dag'),
    ('device_tokens', 'user_id', 'hal', 'hal'),
    ('device_tokens', 'user_id', 'stranger', 'nothing'),
    ('device_tokens', 'user_id', 'anon', '42501')
) as e (table_name, column_name, who, names);

select is(
  pg_temp.outcome(w.who, s.statement),
  '42501',
  format('%s may not: %s', w.who, s.statement)
)
from
  unnest('{ada,bo,dag,hal,stranger,anon}'::text[]) as w (who),
  (
    values
      ('update public.organisations set name = ''mine'''),
      ('delete from public.chapters'),
      ('update public.people set email = ''x'''),
      ('update public.coordinator_roles set active = true'),
      ('insert into public.organisation_admins select organisation_id, gen_random_uuid() from public.organisation_admins'),
      ('delete from public.chapter_memberships'),
      ('update public.device_tokens set retired_at = null'),
      ('update public.certifications set expires_on = null'),
      ('select from peerpause.global_admins')
  ) as s (statement);

select * from finish();
rollback;
