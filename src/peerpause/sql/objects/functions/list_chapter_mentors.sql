-- The mentors of a chapter by name, for its coordinators and the organisation's admins: all, or those with one status, or those
-- whose name contains p_search. At most p_limit (1 to 500); page on with the last row's display_name and mentor_id.
-- 42501: not the caller's chapter, or no such chapter. 22023: unknown status, limit out of range.
create function peerpause.list_chapter_mentors(
  p_chapter_id uuid,
  p_status text,
  p_search text,
  p_limit integer,
  p_after_name text,
  p_after_id uuid
)
returns table (
  mentor_id uuid,
  display_name text,
  first_name text,
  status public.mentor_status,
  pause_reason text,
  paused_at timestamptz,
  expected_return_on date,
  reactivated_at timestamptz,
  updated_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.require_limit(p_limit);
  if p_status is not null and not p_status = any(enum_range(null::public.mentor_status)::text[]) then
    raise exception 'unknown status' using errcode = '22023', hint = 'One of: active, paused, inactive.';
  end if;
  perform peerpause.authorise_chapter(p_chapter_id);
  return query
  select
    p.id, p.display_name, p.first_name, p.status, p.pause_reason, p.pause_at, p.expected_return_on, p.reactivated_at, p.updated_at
  from public.chapter_memberships as m
  inner join public.peer_mentors as p on p.id = m.mentor_id
  where
    m.chapter_id = p_chapter_id
    and (p_status is null or p.status = p_status::public.mentor_status)
    and (p_search is null or strpos(lower(p.display_name), lower(p_search)) > 0)
    and (p_after_name is null or (p.display_name, p.id) > (p_after_name, p_after_id))
  order by p.display_name, p.id
  limit p_limit;
end
$$;

create function public.list_chapter_mentors(
  p_chapter_id uuid,
  p_status text default null,
  p_search text default null,
  p_limit integer default 50,
  p_after_name text default null,
  p_after_id uuid default null
)
returns table (
  mentor_id uuid,
  display_name text,
  first_name text,
  status public.mentor_status,
  pause_reason text,
  paused_at timestamptz,
  expected_return_on date,
  reactivated_at timestamptz,
  updated_at timestamptz
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select l.*
  from peerpause.list_chapter_mentors(p_chapter_id, p_status, p_search, p_limit, p_after_name, p_after_id) as l;
end
$$;
