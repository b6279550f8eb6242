-- Who sees the inbox, the delivery logs, the runs of jobs, the webhooks and the kept answers.
begin;
\ir world.psql
select no_plan();

insert into public.notifications (organisation_id, recipient_id, mentor_id, history_id, event, payload)
select h.organisation_id, pg_temp.id(r.name), h.mentor_id, h.id, 'mentor_paused', '{}'
from public.peer_mentor_status_history as h, unnest('{ada,bo,dag}'::text[]) as r (name)
where h.mentor_id = pg_temp.id('mentor ada');
insert into public.notification_deliveries (organisation_id, history_id, mentor_id, recipient_id, channel, event, changed_at)
select h.organisation_id, h.id, h.mentor_id, pg_temp.id('bo'), 'push', 'mentor_paused', h.changed_at
from public.peer_mentor_status_history as h;
insert into public.webhook_endpoints (id, organisation_id, url, secret)
values
  (pg_temp.id('first'), pg_temp.id('first'), 'https://first.example.org', 'x'),
  (pg_temp.id('other'), pg_temp.id('other'), 'https://other.example.org', 'x');
insert into public.job_runs (job, started_by) values ('certification_expiry', pg_temp.id('bo'));
insert into public.idempotency_keys (caller, key, organisation_id, request, fingerprint)
values (pg_temp.id('ada'), 'k', pg_temp.id('first'), 'r', 'f');

select is(pg_temp.outcome(e.who, 'select from public.notifications'), e.rows, format('%s sees the own inbox', e.who))
from (
  values ('ada', '1'), ('bo', '1'), ('dag', '1'), ('cy', '0'), ('hal', '0'), ('stranger', '0'), ('anon', '42501'), ('service_role', '3')
) as e (who, rows);
select is(
  pg_temp.outcome(e.who, 'update public.notifications set read_at = now(), acknowledged_at = now()'),
  e.rows,
  format('%s marks the own inbox', e.who)
)
from (values ('ada', '1'), ('bo', '1'), ('cy', '0'), ('hal', '0'), ('anon', '42501')) as e (who, rows);
select is(
  pg_temp.outcome('bo', format('update public.notifications set %s', c.change)),
  '42501',
  format('a recipient may not set %s', c.change)
)
from unnest(
  '{"payload = ''{}''","recipient_id = gen_random_uuid()","event = ''x''","created_at = now()","mentor_id = gen_random_uuid()"}'::text[]
) as c (change);

select is(
  pg_temp.seen(e.who, 'select mentor_id from public.notification_deliveries', 'mentor '),
  e.mentors,
  format('%s sees the delivery log of: %s', e.who, e.mentors)
)
from (
  values
    ('ada', 'nothing'), ('bo', 'nothing'), ('cy', 'nothing'), ('dag', 'ada finn'), ('eva', 'greta'), ('hal', 'ada finn greta'),
    ('stranger', 'nothing'), ('anon', '42501'), ('service_role', 'ada finn greta')
) as e (who, mentors);

select is(
  pg_temp.seen(e.who, 'select id from public.webhook_endpoints', ''),
  e.organisations,
  format('%s sees the webhooks of: %s', e.who, e.organisations)
)
from (
  values
    ('ada', 'nothing'), ('bo', 'nothing'), ('dag', 'first'), ('eva', 'other'), ('hal', 'first other'),
    ('stranger', 'nothing'), ('anon', '42501'), ('service_role', 'first other')
) as e (who, organisations);
select is(pg_temp.outcome(w.who, 'select secret from public.webhook_endpoints'), '42501', format('%s does not read a secret', w.who))
from unnest('{ada,bo,dag,hal,anon}'::text[]) as w (who);

select is(pg_temp.outcome(e.who, 'select from public.job_runs'), e.rows, format('%s sees runs started by hand: %s', e.who, e.rows))
from (values ('bo', '1'), ('cy', '0'), ('ada', '0'), ('stranger', '0'), ('anon', '42501'), ('service_role', '1')) as e (who, rows);

select is(pg_temp.outcome(w.who, 'select from public.idempotency_keys'), '42501', format('%s does not read the kept answers', w.who))
from unnest('{ada,bo,dag,hal,stranger,anon}'::text[]) as w (who);

select * from finish();
rollback;
