-- The public roster of a chapter: who may be listed at this very moment.
--
-- Computed when it is read: active, listed by their own wish, and certified today where the organisation requires it. A job
-- that never ran cannot leave a lapsed mentor here. An unknown chapter has an empty roster. Open to everyone (anon).
create function peerpause.public_chapter_roster(p_chapter_id uuid)
returns table (mentor_id uuid, display_name text, languages text[], presentation text, contact text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select p.id, p.display_name, p.languages, p.presentation, p.public_contact
  from public.chapter_memberships as m
  inner join public.peer_mentors as p on p.id = m.mentor_id
  inner join public.organisations as o on o.id = p.organisation_id
  where
    m.chapter_id = p_chapter_id
    and p.status = 'active'
    and p.listed
    and peerpause.is_certified(p.id, o.required_certification_kinds, peerpause.today(o.time_zone))
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
