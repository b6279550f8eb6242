-- Finds what visitors see differently from what webhooks have been told, whatever changed it (a status, a profile, a membership, a
-- certificate that ran out at midnight), and writes one delivery for each change and active endpoint, in one statement.
--
-- For the organisations that begin_roster_look has just taken, in the same transaction: a crash leaves all of it undone. Answers one
-- row of counts.
with due as materialized (
  select w.organisation_id from peerpause.roster_watches as w where w.looked_at = now()
),

seen as materialized (
  select s.organisation_id, s.chapter_id, s.mentor_id, s.digest
  from due as d
  cross join lateral peerpause.roster_digests(d.organisation_id) as s
),

told as materialized (
  select p.organisation_id, p.chapter_id, p.mentor_id, p.digest
  from due as d
  inner join peerpause.roster_published as p on p.organisation_id = d.organisation_id
),

changes as materialized (
  select
    peerpause.time_ordered_uuid() as event_id,
    coalesce(s.organisation_id, t.organisation_id) as organisation_id,
    coalesce(s.chapter_id, t.chapter_id) as chapter_id,
    coalesce(s.mentor_id, t.mentor_id) as mentor_id,
    s.digest,
    case when t.digest is null then 'listed' when s.digest is null then 'unlisted' else 'edited' end as change
  from seen as s
  full join told as t
    on t.organisation_id = s.organisation_id and t.chapter_id = s.chapter_id and t.mentor_id = s.mentor_id
  where s.digest is distinct from t.digest
),

forgotten as (
  delete from peerpause.roster_published as p
  using changes as c
  where
    c.change = 'unlisted'
    and p.organisation_id = c.organisation_id and p.chapter_id = c.chapter_id and p.mentor_id = c.mentor_id
),

kept as (
  insert into peerpause.roster_published (organisation_id, chapter_id, mentor_id, digest)
  select c.organisation_id, c.chapter_id, c.mentor_id, c.digest
  from changes as c
  where c.change <> 'unlisted'
  on conflict (organisation_id, chapter_id, mentor_id) do update set digest = excluded.digest
),

deliveries as (
  insert into public.webhook_deliveries (organisation_id, endpoint_id, event_id, chapter_id, mentor_id, change)
  select c.organisation_id, e.id, c.event_id, c.chapter_id, c.mentor_id, c.change
  from changes as c
  inner join public.webhook_endpoints as e on e.organisation_id = c.organisation_id and e.active
  returning id
)

select
  (select count(*) from due) as organisations,
  (select count(*) from changes) as changes,
  (select count(*) from deliveries) as deliveries
