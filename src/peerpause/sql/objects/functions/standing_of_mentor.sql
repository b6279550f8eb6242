-- What decides today whether a mentor may be active and is on the public page, for those who may change the mentor: always one row.
-- today is the organisation's; covered_until is the last day of an admin's override that is in force.
-- PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.standing_of_mentor(p_mentor_id uuid)
returns table (
  today date,
  required_kinds text[],
  is_certified boolean,
  blocking_lapse date,
  covered_until date,
  is_public boolean
)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
begin
  return query
  select
    t.today,
    o.required_certification_kinds,
    c.is_certified,
    peerpause.blocking_lapse(p.id, o.id),
    (
      select max(v.valid_until)
      from public.certification_overrides as v
      where v.mentor_id = p.id and v.valid_until >= t.today
    ),
    p.status = 'active' and p.listed and c.is_certified
  from public.peer_mentors as p
  inner join public.organisations as o on o.id = p.organisation_id
  cross join lateral (select peerpause.today(o.time_zone) as today) as t
  cross join lateral (select peerpause.is_certified(p.id, o.required_certification_kinds, t.today) as is_certified) as c
  where p.id = p_mentor_id and o.id = v_organisation_id;
end
$$;

-- The mentor's chapters by name, and whether any other mentor is active there, for those who may change the mentor: so that a page
-- can say beforehand that a pause leaves a chapter with nobody. PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.chapters_of_mentor(p_mentor_id uuid)
returns table (chapter_id uuid, name text, has_others_active boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select
    c.id,
    c.name,
    exists (
      select from public.chapter_memberships as o
      inner join public.peer_mentors as p on p.id = o.mentor_id
      where o.chapter_id = c.id and o.mentor_id <> p_mentor_id and p.status = 'active'
    )
  from public.chapter_memberships as m
  inner join public.chapters as c on c.id = m.chapter_id
  where m.mentor_id = p_mentor_id
  order by c.name, c.id;
end
$$;
