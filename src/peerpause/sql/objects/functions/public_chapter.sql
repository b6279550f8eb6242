-- What the public page of a chapter says above its roster, and nothing else of the chapter: its name, the organisation's own word
-- for a mentor (null: the usual one), the organisation's language, and the seconds until its day ends: what is read now may change
-- then without anybody doing anything, because certificates run out. No row for an unknown chapter. Open to everyone (anon).
create function peerpause.public_chapter(p_chapter_id uuid)
returns table (chapter_name text, role_word text, language text, day_ends_in integer)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    c.name,
    nullif(btrim(o.role_word), ''),
    o.language,
    floor(extract(
      epoch from ((peerpause.today(o.time_zone) + 1)::timestamp at time zone o.time_zone) - peerpause.clock()
    ))::integer
  from public.chapters as c
  inner join public.organisations as o on o.id = c.organisation_id
  where c.id = p_chapter_id;
end
$$;

create function public.public_chapter(p_chapter_id uuid)
returns table (chapter_name text, role_word text, language text, day_ends_in integer)
language plpgsql
stable
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select c.* from peerpause.public_chapter(p_chapter_id) as c;
end
$$;
