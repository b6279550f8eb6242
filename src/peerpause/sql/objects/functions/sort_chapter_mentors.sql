-- The mentors of a chapter in the order asked for, for its coordinators and the organisation's admins. p_sort: name, status, paused_at,
-- expected_return_on or updated_at; mentors without such a date come last either way. Filters as in list_chapter_mentors. Page on
-- with the last row's mentor_id and, by p_sort, its name or status (p_after_word) or time (p_after_moment; null where it has none).
-- 42501: not the caller's chapter, or no such chapter. 22023: unknown status or order, limit out of range.
create function peerpause.sort_chapter_mentors(
  p_chapter_id uuid,
  p_status text,
  p_search text,
  p_sort text,
  p_descending boolean,
  p_limit integer,
  p_after_word text,
  p_after_moment timestamptz,
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
declare
  v_without constant timestamptz := case when p_descending then '-infinity' else 'infinity' end::timestamptz;
  v_after_word constant text := coalesce(p_after_word, '');
  v_after_moment constant timestamptz := coalesce(p_after_moment, v_without);
begin
  perform peerpause.require_limit(p_limit);
  if p_status is not null and not p_status = any(enum_range(null::public.mentor_status)::text[]) then
    raise exception 'unknown status' using errcode = '22023', hint = 'One of: active, paused, inactive.';
  end if;
  if p_sort is null or p_sort not in ('name', 'status', 'paused_at', 'expected_return_on', 'updated_at') then
    raise exception 'unknown order'
      using errcode = '22023', hint = 'One of: name, status, paused_at, expected_return_on, updated_at.';
  end if;
  perform peerpause.authorise_chapter(p_chapter_id);
  return query
  select
    k.id, k.display_name, k.first_name, k.status, k.pause_reason, k.pause_at, k.expected_return_on, k.reactivated_at, k.updated_at
  from (
    select
      p.*,
      case p_sort when 'name' then p.display_name when 'status' then p.status::text else '' end as word,
      coalesce(
        case p_sort
          when 'paused_at' then p.pause_at
          when 'updated_at' then p.updated_at
          when 'expected_return_on' then p.expected_return_on::timestamp at time zone 'UTC'
        end,
        v_without
      ) as moment
    from public.chapter_memberships as m
    inner join public.peer_mentors as p on p.id = m.mentor_id
    where
      m.chapter_id = p_chapter_id
      and (p_status is null or p.status = p_status::public.mentor_status)
      and (p_search is null or strpos(lower(p.display_name), lower(p_search)) > 0)
  ) as k
  where
    p_after_id is null
    or case
      when p_descending then (k.word, k.moment, k.id) < (v_after_word, v_after_moment, p_after_id)
      else (k.word, k.moment, k.id) > (v_after_word, v_after_moment, p_after_id)
    end
  order by
    case when not p_descending then k.word end,
    case when not p_descending then k.moment end,
    case when not p_descending then k.id end,
    case when p_descending then k.word end desc,
    case when p_descending then k.moment end desc,
    case when p_descending then k.id end desc
  limit p_limit;
end
$$;
