-- Makes up the people on whom access is tried: two organisations, the first with two chapters; mentors in each, a coordinator of each chapter,
-- an admin of each organisation. For a transaction that is rolled back. Answers their ids by what they are called here.
with organisations as (
  insert into public.organisations (id, name) values (gen_random_uuid(), 'Own'), (gen_random_uuid(), 'Other')
  returning id, name
),

chapters as (
  insert into public.chapters (id, organisation_id, name)
  select gen_random_uuid(), o.id, c.name
  from (values ('Own', 'near'), ('Own', 'far'), ('Other', 'away')) as c (organisation, name)
  inner join organisations as o on o.name = c.organisation
  returning id, organisation_id, name
),

people as (
  insert into public.people (user_id, display_name, first_name, email)
  select gen_random_uuid(), n.name, n.name, n.name || '@access-matrix.invalid'
  from unnest(
    '{self,peer,far,away,near-active,far-active,away-active,own-leaver,other-leaver,coordinator,admin}'::text[]
  ) as n (name)
  returning user_id, first_name
),

belonging as (
  select b.first_name, c.id as chapter_id, c.organisation_id
  from (
    values
      ('self', 'near'), ('peer', 'near'), ('near-active', 'near'), ('own-leaver', 'near'), ('far', 'far'), ('far-active', 'far'),
      ('away', 'away'), ('away-active', 'away'), ('other-leaver', 'away')
  ) as b (first_name, chapter)
  inner join chapters as c on c.name = b.chapter
),

mentors as (
  insert into public.peer_mentors (id, organisation_id, user_id, display_name, first_name)
  select gen_random_uuid(), b.organisation_id, p.user_id, p.first_name, p.first_name
  from people as p
  inner join belonging as b on b.first_name = p.first_name
  returning id, organisation_id, first_name
),

memberships as (
  insert into public.chapter_memberships (organisation_id, chapter_id, mentor_id)
  select b.organisation_id, b.chapter_id, m.id
  from mentors as m
  inner join belonging as b on b.first_name = m.first_name
),

coordinators as (
  insert into public.coordinator_roles (organisation_id, chapter_id, user_id)
  select c.organisation_id, c.id, p.user_id
  from people as p
  inner join chapters as c on (p.first_name, c.name) in (('coordinator', 'near'), ('far-active', 'far'), ('away-active', 'away'))
),

admins as (
  insert into public.organisation_admins (organisation_id, user_id)
  select o.id, p.user_id
  from people as p
  inner join organisations as o on (p.first_name, o.name) in (('admin', 'Own'), ('away-active', 'Other'))
),

certificates as (
  insert into public.certifications (organisation_id, mentor_id, kind, issued_on, expires_on)
  select m.organisation_id, m.id, 'peer_mentor', current_date, current_date + 300
  from mentors as m
),

devices as (
  insert into public.device_tokens (token, user_id, platform)
  select 'access-matrix-' || p.user_id, p.user_id, 'android'
  from people as p
)

select
  (select jsonb_object_agg(o.name, o.id) from organisations as o) as organisations,
  (select jsonb_object_agg(c.name, c.id) from chapters as c) as chapters,
  (select jsonb_object_agg(p.first_name, p.user_id) from people as p) as people,
  (select jsonb_object_agg(m.first_name, m.id) from mentors as m) as mentors
