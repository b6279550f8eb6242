-- Who changes a mentor's status, by the functions and by a plain update.
begin;
\ir world.psql
select no_plan();

create temp table expected (who text, mentors text[], plainly text[]);
insert into expected
values
  ('ada', '{ada}', '{}'), ('finn', '{finn}', '{}'), ('greta', '{greta}', '{}'),
  ('bo', '{ada,finn}', '{ada,finn}'), ('cy', '{finn}', '{finn}'), ('dag', '{ada,finn}', '{ada,finn}'),
  ('eva', '{greta}', '{greta}'), ('hal', '{ada,finn,greta}', '{ada,finn,greta}'),
  ('ida', '{}', '{}'), ('stranger', '{}', '{}'), ('anon', '{}', null),
  ('service_role', '{ada,finn,greta}', '{ada,finn,greta}');

select is(
  pg_temp.outcome(e.who, format(c.statement, pg_temp.id('mentor ' || m.name), case when e.who <> 'service_role' then pg_temp.id(e.who) end)),
  case when m.name = any(e.mentors) then '1' else '42501' end,
  format('%s calls %s for %s', e.who, c.function_name, m.name)
)
from
  expected as e,
  unnest('{ada,finn,greta}'::text[]) as m (name),
  (
    values
      ('update_mentor_status', 'select public.update_mentor_status(%1$L, ''paused'', %2$L, ''illness'')'),
      ('rpc_pause_mentor', 'select * from public.rpc_pause_mentor(%1$L, ''illness'')'),
      ('rpc_pause_mentor, later', 'select * from public.rpc_pause_mentor(%1$L, ''illness'', ''2098-01-01'')'),
      ('rpc_deactivate_mentor', 'select * from public.rpc_deactivate_mentor(%1$L, ''resigned'')'),
      ('rpc_cancel_scheduled_pause', 'select public.rpc_cancel_scheduled_pause(%1$L)')
  ) as c (function_name, statement);

select is(
  pg_temp.outcome(e.who, format('select * from public.rpc_reactivate_mentor(%L)', pg_temp.id('mentor ' || m.name))),
  case when m.name = any(e.mentors) then 'P0001' else '42501' end,
  format('%s calls rpc_reactivate_mentor for %s, who is active', e.who, m.name)
)
from expected as e, unnest('{ada,finn,greta}'::text[]) as m (name);

select is(
  pg_temp.outcome(
    e.who,
    format('update public.peer_mentors set status = ''paused'', pause_reason = ''illness'' where id = %L', pg_temp.id('mentor ' || m.name))
  ),
  case when e.plainly is null then '42501' when m.name = any(e.plainly) then '1' else '0' end,
  format('%s updates %s plainly', e.who, m.name)
)
from expected as e, unnest('{ada,finn,greta}'::text[]) as m (name);

select is(
  pg_temp.outcome(w.who, format('select public.update_mentor_status(%L, ''paused'', %L, ''illness'')', pg_temp.id('mentor ada'), a.actor)),
  '42501',
  format('%s does not act in the name of somebody else', w.who)
)
from
  unnest('{ada,bo,dag,hal}'::text[]) as w (who),
  (values (null::uuid), (pg_temp.id('eva'))) as a (actor);

select is(
  pg_temp.outcome(w.who, format('select * from public.%s', f.call)),
  '42501',
  format('a visitor does not call %s', f.call)
)
from
  unnest('{anon}'::text[]) as w (who),
  unnest(
    '{"get_mentor_status(null)","get_mentor_status_history(null)","list_chapter_mentors(null)","run_certification_expiry()",'
    '"certification_watchdog()","register_device_token(null, null)","release_device_token(null)"}'::text[]
  ) as f (call);

select is(
  pg_temp.outcome(e.who, format('select public.run_certification_expiry(array[%L]::uuid[])', pg_temp.id('north'))),
  e.answer,
  format('%s runs the certificate check for north', e.who)
)
from (
  values ('ada', '42501'), ('bo', '1'), ('cy', '42501'), ('dag', '1'), ('eva', '42501'), ('hal', '1'), ('ida', '42501'), ('stranger', '42501')
) as e (who, answer);

select is(
  pg_temp.outcome(w.who, s.statement),
  '42501',
  format('%s may not: %s', w.who, s.statement)
)
from
  unnest('{ada,bo,dag,hal,anon,service_role}'::text[]) as w (who),
  (
    values
      ('update public.peer_mentor_status_history set note = ''x'''),
      ('delete from public.peer_mentor_status_history'),
      ('truncate public.peer_mentor_status_history cascade'),
      (
        'insert into public.peer_mentor_status_history (organisation_id, mentor_id, new_status, changed_at)'
        ' select organisation_id, id, status, now() from public.peer_mentors'
      )
  ) as s (statement);

select is(pg_temp.outcome('service_role', 'update public.peer_mentor_status_history set told_at = now()'), '3', 'the outbox marks what it told');
select is(pg_temp.outcome('dag', 'update public.peer_mentor_status_history set told_at = now()'), '42501', 'and nobody else does');

select * from finish();
rollback;
