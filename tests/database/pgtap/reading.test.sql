-- Who reads a mentor's status, history, certificates, overrides, plans and memberships: the mentor, the coordinators of the
-- mentor's chapters, the organisation's admins, global admins and the service role; and nobody else.
begin;
\ir world.psql
select no_plan();

create temp table expected (who text, mentors text);
insert into expected
values
  ('ada', 'ada'), ('finn', 'finn'), ('greta', 'greta'),
  ('bo', 'ada finn'), ('cy', 'finn'), ('dag', 'ada finn'), ('eva', 'greta'), ('hal', 'ada finn greta'),
  ('ida', 'nothing'), ('stranger', 'nothing'), ('service_role', 'ada finn greta'), ('anon', '42501');

select is(
  pg_temp.seen(e.who, format('select %I from public.%I', t.column_name, t.table_name), 'mentor '),
  e.mentors,
  format('%s sees in %s: %s', e.who, t.table_name, e.mentors)
)
from
  expected as e,
  (
    values
      ('peer_mentors', 'id'),
      ('peer_mentor_status', 'mentor_id'),
      ('peer_mentor_status_history', 'mentor_id'),
      ('mentor_status_history', 'mentor_id'),
      ('certifications', 'mentor_id'),
      ('certification_overrides', 'mentor_id'),
      ('scheduled_status_changes', 'mentor_id'),
      ('chapter_memberships', 'mentor_id')
  ) as t (table_name, column_name);

select is(
  pg_temp.outcome(e.who, format('select * from public.%I(%L)', f.function_name, pg_temp.id('mentor ' || m.name))),
  case when e.who = 'anon' then '42501' when m.name = any(string_to_array(e.mentors, ' ')) then '1' else 'PT404' end,
  format('%s asks %s for %s', e.who, f.function_name, m.name)
)
from
  expected as e,
  unnest('{get_mentor_status,get_mentor_status_history}'::text[]) as f (function_name),
  unnest('{ada,finn,greta}'::text[]) as m (name);

select is(
  pg_temp.outcome(e.who, format('select * from public.list_chapter_mentors(%L)', pg_temp.id(c.name))),
  case when c.name = any(string_to_array(e.chapters, ' ')) then c.mentors else '42501' end,
  format('%s lists the chapter %s', e.who, c.name)
)
from
  (
    values
      ('ada', ''), ('bo', 'north'), ('cy', 'south'), ('dag', 'north south'), ('eva', 'elsewhere'),
      ('hal', 'north south elsewhere'), ('ida', ''), ('stranger', ''), ('anon', ''), ('service_role', 'north south elsewhere')
  ) as e (who, chapters),
  (values ('north', '2'), ('south', '1'), ('elsewhere', '1')) as c (name, mentors);

select is(
  pg_temp.outcome(w.who, format('select * from public.public_chapter_roster(%L)', pg_temp.id('north'))),
  '2',
  format('%s reads the public roster', w.who)
)
from unnest('{anon,stranger,ada,bo,service_role}'::text[]) as w (who);

select * from finish();
rollback;
