-- The last valid day of the required certificate that has run out by p_today, or null where nothing required has lapsed.
-- For each required kind the latest certificate decides; its last day still counts as valid. A mentor who never had one has
-- not lapsed (and is not certified either: the public roster asks is_certified).
create function peerpause.certification_lapsed_on(p_mentor_id uuid, p_required_kinds text[], p_today date)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select min(l.last_day)
    from (
      select max(coalesce(c.expires_on, 'infinity'::date)) as last_day
      from public.certifications as c
      where c.mentor_id = p_mentor_id and c.kind = any(p_required_kinds) and c.issued_on <= p_today
      group by c.kind
    ) as l
    where l.last_day < p_today
  );
end
$$;

-- The same as of today where the organisation is, for the kinds that it requires.
create function peerpause.lapsed_today(p_mentor_id uuid, p_organisation_id uuid)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select peerpause.certification_lapsed_on(p_mentor_id, o.required_certification_kinds, peerpause.today(o.time_zone))
    from public.organisations as o
    where o.id = p_organisation_id
  );
end
$$;

-- Whether every required kind of certificate is valid on p_today.
create function peerpause.is_certified(p_mentor_id uuid, p_required_kinds text[], p_today date)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select not exists (
      select from unnest(p_required_kinds) as k (kind)
      where not exists (
        select from public.certifications as c
        where
          c.mentor_id = p_mentor_id
          and c.kind = k.kind
          and c.issued_on <= p_today
          and coalesce(c.expires_on, 'infinity'::date) >= p_today
      )
    )
  );
end
$$;

-- The last valid day of a lapsed certificate that keeps the mentor from being active today, or null: nothing required has
-- lapsed, or an admin's override covers today.
create function peerpause.blocking_lapse(p_mentor_id uuid, p_organisation_id uuid)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kinds text[];
  v_today date;
begin
  select o.required_certification_kinds, peerpause.today(o.time_zone)
  into v_kinds, v_today
  from public.organisations as o
  where o.id = p_organisation_id;
  if
    v_kinds = '{}'
    or exists (
      select from public.certification_overrides as o
      where o.mentor_id = p_mentor_id and o.valid_until >= v_today
    )
  then
    return null;
  end if;
  return peerpause.certification_lapsed_on(p_mentor_id, v_kinds, v_today);
end
$$;
