-- The public roster of a chapter: who may be listed at this very moment.
--
-- Computed when it is read: active, listed by their own wish, and certified today where the organisation requires it. A job
-- that never ran cannot leave a lapsed mentor here. An unknown chapter has an empty roster. Open to everyone (anon).
--
-- Says of certificates what is_certified says. Written so that each mentor and certificate is looked up by its index (limit, and a
-- count, keep the planner from joining whole tables): reading a chapter costs the same however large the organisation is.
create function peerpause.public_chapter_roster(p_chapter_id uuid)
returns table (mentor_id uuid, display_name text, languages text[], presentation text, contact text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kinds text[];
  v_needed integer;
  v_today date;
begin
  select
    o.required_certification_kinds,
    (select count(*) from (select distinct k.kind from unnest(o.required_certification_kinds) as k (kind)) as d),
    peerpause.today(o.time_zone)
  into v_kinds, v_needed, v_today
  from public.chapters as c
  inner join public.organisations as o on o.id = c.organisation_id
  where c.id = p_chapter_id;
  return query
  select p.id, p.display_name, p.languages, p.presentation, p.public_contact
  from public.chapter_memberships as m
  cross join lateral (
    select n.id, n.display_name, n.languages, n.presentation, n.public_contact
    from public.peer_mentors as n
    where n.id = m.mentor_id and n.status = 'active' and n.listed
    limit 1
  ) as p
  where
    m.chapter_id = p_chapter_id
    and (
      v_needed = 0
      or v_needed = (
        select count(distinct c.kind)
        from public.certifications as c
        where
          c.mentor_id = m.mentor_id
          and c.kind = any(v_kinds)
          and c.issued_on <= v_today
          and coalesce(c.expires_on, 'infinity'::date) >= v_today
      )
    )
  order by p.display_name, p.id;
end
$$;

create function public.public_chapter_roster(p_chapter_id uuid)
returns table (mentor_id uuid, display_name text, languages text[], presentation text, contact text)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select r.* from peerpause.public_chapter_roster(p_chapter_id) as r;
end
$$;
