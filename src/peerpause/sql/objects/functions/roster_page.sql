-- Which mentors of an organisation a list shows, each once, in the order asked for, behind the place where the last page ended: those
-- of p_chapters, or with null there all of the organisation.
--
-- The order is by name, or by p_sort (status, since, return, certificate) and then by name; o_rank is what stands for p_sort, negated
-- where it shall fall, and whoever has none comes last. p_patterns are for `like`, of the name in lower case; all must fit.
-- o_certified_until is the last day on which all that is required is valid: null where nothing is, the first day there is where
-- something required is missing, the last where nothing ends. 42501: not the caller's organisation or chapters. 22023: limit out of range.
--
-- Planned anew with every call's values: then what was not asked for is not in the plan, and a whole organisation is walked along its
-- index of names. Row security is not asked here, for every row would cost as much as the look at it; the query that shows the rows asks it.
create function peerpause.roster_page(
  p_organisation_id uuid,
  p_chapters uuid[],
  p_statuses public.mentor_status[],
  p_patterns text[],
  p_certificate text,
  p_days integer,
  p_overdue boolean,
  p_sort text,
  p_descending boolean,
  p_after_rank numeric,
  p_after_name text,
  p_after_id uuid,
  p_limit integer,
  out o_mentor_id uuid,
  out o_rank numeric,
  out o_certified_until date
)
returns setof record
language plpgsql
stable
security definer
rows 50
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_members constant uuid[] := peerpause.roster_members(p_organisation_id, p_chapters);
  v_kinds text[];
  v_today date;
begin
  perform peerpause.require_limit(p_limit);
  select o.required_certification_kinds, peerpause.today(o.time_zone)
  into v_kinds, v_today
  from public.organisations as o
  where o.id = p_organisation_id;
  return query
  select a.id, r.rank, c.certified_until
  from public.peer_mentors as a
  cross join lateral (
    select (
      select min(
        coalesce(
          (
            select max(least(coalesce(c.expires_on, 'infinity'), '9999-12-31'))
            from public.certifications as c
            where c.mentor_id = a.id and c.kind = k.kind and c.issued_on <= v_today
          ),
          '0001-01-01'
        )
      )
      from unnest(v_kinds) as k (kind)
    ) as certified_until
  ) as c
  cross join lateral (
    select
      case p_sort
        when 'status' then array_position(enum_range(null::public.mentor_status), a.status)
        when 'since'
          then extract(epoch from case a.status when 'paused' then a.pause_at when 'active' then a.reactivated_at end)
        when 'return' then extract(epoch from a.expected_return_on)
        when 'certificate' then extract(epoch from c.certified_until)
      end * case when p_descending then -1 else 1 end as rank
  ) as r
  where
    case when p_chapters is null then a.organisation_id = p_organisation_id else a.id = any(v_members) end
    and a.status = any(p_statuses)
    and lower(a.display_name) like all(p_patterns)
    and case when p_overdue then a.expected_return_on < v_today else true end
    and case p_certificate
      when 'valid' then c.certified_until >= v_today
      when 'expiring' then c.certified_until between v_today and v_today + p_days
      when 'expired' then c.certified_until < v_today and c.certified_until > '0001-01-01'
      when 'none' then coalesce(c.certified_until = '0001-01-01', true)
      else true
    end
    and case
      when p_after_id is null then true
      when p_sort <> 'name'
        then
          r.rank > p_after_rank
          or (r.rank is null and p_after_rank is not null)
          or (r.rank is not distinct from p_after_rank and (a.display_name, a.id) > (p_after_name, p_after_id))
      when p_descending then a.display_name <= p_after_name and (a.display_name < p_after_name or a.id > p_after_id)
      else a.display_name >= p_after_name and (a.display_name > p_after_name or a.id > p_after_id)
    end
  order by
    r.rank,
    case when p_sort = 'name' and p_descending then a.display_name end desc,
    a.display_name,
    a.id
  limit p_limit;
end
$$;

-- How many mentors of an organisation are where, of p_chapters or with null there of all of it; o_next_back are the first five of
-- those who are expected back within p_soon days. 42501: not the caller's organisation or chapters.
create function peerpause.roster_counts(
  p_organisation_id uuid,
  p_chapters uuid[],
  p_soon integer,
  out o_active bigint,
  out o_paused bigint,
  out o_inactive bigint,
  out o_overdue bigint,
  out o_back_soon bigint,
  out o_next_back uuid[]
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_members constant uuid[] := peerpause.roster_members(p_organisation_id, p_chapters);
  v_today date;
begin
  select peerpause.today(o.time_zone) into v_today from public.organisations as o where o.id = p_organisation_id;
  select
    count(*) filter (where a.status = 'active'),
    count(*) filter (where a.status = 'paused'),
    count(*) filter (where a.status = 'inactive'),
    count(*) filter (where a.expected_return_on < v_today),
    count(*) filter (where a.expected_return_on between v_today and v_today + p_soon),
    (array_agg(a.id order by a.expected_return_on, a.display_name, a.id) filter (
      where a.expected_return_on between v_today and v_today + p_soon
    ))[1:5]
  into o_active, o_paused, o_inactive, o_overdue, o_back_soon, o_next_back
  from public.peer_mentors as a
  where case when p_chapters is null then a.organisation_id = p_organisation_id else a.id = any(v_members) end;
end
$$;

-- The mentors of these chapters of an organisation, each once; null for the whole organisation.
-- 42501: whole, for whoever does not administer it; chapters, where one of them is not the caller's.
create function peerpause.roster_members(p_organisation_id uuid, p_chapters uuid[])
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_chapters is null then
    perform peerpause.authorise_organisation(p_organisation_id);
    return null;
  end if;
  if not (p_chapters <@ peerpause.my_chapters() or p_organisation_id = any(peerpause.my_organisations())) then
    raise exception 'not all of these chapters are yours'
      using errcode = '42501', hint = 'Name chapters that you coordinate, or whose organisation you administer.';
  end if;
  return (
    select coalesce(array_agg(distinct m.mentor_id), '{}')
    from public.chapter_memberships as m
    where m.organisation_id = p_organisation_id and m.chapter_id = any(p_chapters)
  );
end
$$;
