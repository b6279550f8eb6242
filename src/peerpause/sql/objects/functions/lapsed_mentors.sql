-- A page of an organisation's certificates whose last day lies before p_today, in order of that day and of id, from after
-- (p_after_day, p_after_id). has_lapsed marks the one that keeps its mentor from being active: of a required kind, the latest of
-- that kind, the first of the mentor's to have run out, and not covered by an override. It marks a mentor at most once, and only
-- there the status is given. Every page is one range of one index, so that many pages cost no more than one.
create function peerpause.expired_certificates(
  p_organisation_id uuid,
  p_kinds text[],
  p_today date,
  p_after_day date,
  p_after_id uuid,
  p_limit integer
)
returns table (certification_id uuid, expires_on date, mentor_id uuid, status public.mentor_status, has_lapsed boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with page as materialized (
    select c.id, c.expires_on, c.mentor_id, c.kind
    from public.certifications as c
    where
      c.organisation_id = p_organisation_id
      and c.expires_on < p_today
      and (c.expires_on, c.id) > (p_after_day, p_after_id)
    order by c.expires_on, c.id
    limit p_limit
  ),
  -- Sub-selects and not joins: a page must never cost a pass over a whole table.
  judged as materialized (
    select
      g.id, g.expires_on, g.mentor_id,
      coalesce(g.kind = any(p_kinds), false)
      and g.id = (
        select n.id
        from public.certifications as n
        where n.mentor_id = g.mentor_id and n.kind = g.kind and n.issued_on <= p_today
        order by n.expires_on desc, n.id desc
        limit 1
      )
      and not exists (
        select from public.certification_overrides as v where v.mentor_id = g.mentor_id and v.valid_until >= p_today
      )
      and (
        cardinality(p_kinds) = 1
        or not exists (
          select from public.certifications as e
          where
            e.mentor_id = g.mentor_id
            and e.kind = any(p_kinds)
            and e.kind <> g.kind
            and e.issued_on <= p_today
            and (e.expires_on, e.id) < (g.expires_on, g.id)
            and e.id = (
              select n.id
              from public.certifications as n
              where n.mentor_id = e.mentor_id and n.kind = e.kind and n.issued_on <= p_today
              order by n.expires_on desc, n.id desc
              limit 1
            )
        )
      ) as has_lapsed
    from page as g
  )
  select
    j.id, j.expires_on, j.mentor_id,
    case when j.has_lapsed then (select p.status from public.peer_mentors as p where p.id = j.mentor_id) end,
    j.has_lapsed
  from judged as j
  order by j.expires_on, j.id;
end
$$;

-- Mentors whose required certificate had run out on the day it was at p_at where their organisation is, and whom no override
-- covers that day. For each required kind the latest certificate decides; its last day still counts as valid.
create function peerpause.lapsed_mentors_at(p_at timestamptz)
returns table (organisation_id uuid, mentor_id uuid, status public.mentor_status, expired_on date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select o.id, e.mentor_id, e.status, e.expires_on
  from public.organisations as o
  cross join lateral peerpause.expired_certificates(
    o.id, o.required_certification_kinds, (p_at at time zone o.time_zone)::date,
    '-infinity', '00000000-0000-0000-0000-000000000000', null
  ) as e
  where o.required_certification_kinds <> '{}' and e.has_lapsed;
end
$$;

-- The same as of now, in order of id from after p_after, at most p_limit; p_chapter_ids (null: all) keeps to these chapters.
create function peerpause.lapsed_mentors(p_chapter_ids uuid[], p_after uuid, p_limit integer)
returns table (mentor_id uuid, status public.mentor_status, expired_on date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select l.mentor_id, l.status, l.expired_on
  from peerpause.lapsed_mentors_at(peerpause.clock()) as l
  where
    l.mentor_id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
    and (
      p_chapter_ids is null
      or exists (
        select from public.chapter_memberships as m where m.mentor_id = l.mentor_id and m.chapter_id = any(p_chapter_ids)
      )
    )
  order by l.mentor_id
  limit p_limit;
end
$$;
