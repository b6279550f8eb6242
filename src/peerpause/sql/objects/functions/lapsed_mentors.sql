-- Mentors whose required certificate has run out by today in their organisation's time zone and whom no override covers, in
-- order of id from after p_after, at most p_limit. For each required kind the latest certificate decides; its last day counts.
create function peerpause.lapsed_mentors(p_chapter_ids uuid[], p_after uuid, p_limit integer)
returns table (mentor_id uuid, status public.mentor_status, expired_on date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with requiring as materialized (
    select o.id, o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
    from public.organisations as o
    where o.required_certification_kinds <> '{}'
  )
  select p.id, p.status, min(c.expires_on)
  from requiring as r
  inner join public.certifications as c on c.organisation_id = r.id and c.kind = any(r.kinds) and c.expires_on < r.today
  inner join public.peer_mentors as p on p.id = c.mentor_id
  where
    p.id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
    and not exists (
      select from public.certifications as n
      where
        n.mentor_id = c.mentor_id
        and n.kind = c.kind
        and n.issued_on <= r.today
        and coalesce(n.expires_on, 'infinity'::date) > c.expires_on
    )
    and not exists (
      select from public.certification_overrides as v where v.mentor_id = p.id and v.valid_until >= r.today
    )
    and (
      p_chapter_ids is null
      or exists (
        select from public.chapter_memberships as m where m.mentor_id = p.id and m.chapter_id = any(p_chapter_ids)
      )
    )
  group by p.id
  order by p.id
  limit p_limit;
end
$$;
