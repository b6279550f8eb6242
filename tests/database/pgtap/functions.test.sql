-- Every function clients call: there, with these arguments and this answer, thin (security invoker), and open to whom it should be.
begin;
create extension if not exists pgtap;
select no_plan();

create temp table expected (function_name name, arguments name[], answer text, anon boolean);
insert into expected
values
  ('update_mentor_status', '{uuid,text,uuid,text,"timestamp with time zone",text}', 'jsonb', false),
  ('rpc_pause_mentor', '{uuid,text,"timestamp with time zone",date,text,"timestamp with time zone",text}', 'setof peer_mentor_status', false),
  ('rpc_reactivate_mentor', '{uuid,"timestamp with time zone",text,text}', 'setof peer_mentor_status', false),
  ('rpc_deactivate_mentor', '{uuid,text,text,"timestamp with time zone",text}', 'setof peer_mentor_status', false),
  ('rpc_cancel_scheduled_pause', '{uuid}', 'boolean', false),
  ('get_mentor_status', '{uuid}', 'setof record', false),
  ('get_mentor_status_history', '{uuid,integer,"timestamp with time zone"}', 'setof record', false),
  ('list_chapter_mentors', '{uuid,text,text,integer,text,uuid}', 'setof record', false),
  ('public_chapter_roster', '{uuid}', 'setof record', true),
  ('register_device_token', '{text,text,text}', 'void', false),
  ('release_device_token', '{text}', 'boolean', false),
  ('run_certification_expiry', '{uuid[]}', 'jsonb', false),
  ('certification_watchdog', '{}', 'jsonb', false);

select has_function('public', e.function_name, e.arguments) from expected as e;
select function_returns('public', e.function_name, e.arguments, e.answer) from expected as e;
select function_lang_is('public', e.function_name, e.arguments, 'plpgsql') from expected as e;
select isnt_definer('public', e.function_name, e.arguments) from expected as e;
select function_privs_are('public', e.function_name, e.arguments, 'anon', case when e.anon then '{EXECUTE}'::name[] else '{}' end)
from expected as e;
select function_privs_are('public', e.function_name, e.arguments, r.role, '{EXECUTE}')
from expected as e, unnest('{authenticated,service_role}'::name[]) as r (role);

-- What holds for all of ours, whether written down above or not.
create temp table ours as
select n.nspname as schema_name, p.proname as function_name, p.prosecdef, p.proconfig, p.prosqlbody is not null as is_bound, p.oid
from pg_proc as p
inner join pg_namespace as n on n.oid = p.pronamespace
where
  n.nspname in ('public', 'peerpause')
  and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e');

select ok(not o.prosecdef, format('%s runs with the rights of its caller', o.oid::regprocedure))
from ours as o
where o.schema_name = 'public';
-- A body of `return …` is bound to what its names meant when it was made.
select ok(
  'search_path=pg_catalog, pg_temp' = any(coalesce(o.proconfig, '{}')) or (o.is_bound and not o.prosecdef),
  format('%s looks for names in pg_catalog first and in pg_temp last', o.oid::regprocedure)
)
from ours as o;
select ok(
  not has_function_privilege('anon', o.oid, 'execute') or o.function_name like 'public\_%',
  format('%s is closed to visitors', o.oid::regprocedure)
)
from ours as o;
select ok(
  not exists (
    select from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where p.oid = o.oid and a.grantee = 0
  ),
  format('%s is not open to everyone by default', o.oid::regprocedure)
)
from ours as o;

select is_definer('peerpause', d.function_name, format('the work of %s is done with its owner''s rights', d.function_name))
from unnest(
  '{update_mentor_status,pause_mentor,reactivate_mentor,deactivate_mentor,cancel_scheduled_pause,list_chapter_mentors,'
  'public_chapter_roster,register_device_token,release_device_token,run_certification_expiry,certification_watchdog,'
  'change_status,record_status_changes,my_chapters,my_organisations,my_mentors}'::name[]
) as d (function_name);
select isnt_definer('peerpause', 'guard_peer_mentor', 'the judge runs with the rights of whoever writes: so it tells clients from functions');

select volatility_is('peerpause', s.function_name, 'stable', format('%s is evaluated once a statement', s.function_name))
from unnest('{my_chapters,my_organisations,my_mentors}'::name[]) as s (function_name);

select has_trigger('public', 'peer_mentors', 'zzz_peerpause_guard', 'every write to a mentor is judged');
select trigger_is('public', 'peer_mentors', 'zzz_peerpause_guard', 'peerpause', 'guard_peer_mentor');
select triggers_are(
  'public', 'peer_mentor_status_history', array['peerpause_append_only', 'peerpause_append_only_truncate'],
  'the history is guarded against change and against truncation'
);
select enum_has_labels('public', 'mentor_status', array['active', 'paused', 'inactive']);

select * from finish();
rollback;
