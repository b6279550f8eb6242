-- The tables of schema public that row security guards, and by which column a row is somebody's: a mentor, a chapter, a person, an organisation;
-- null where it is nobody's.
with tables as (
  select c.oid, c.relname::text as table_name
  from pg_class as c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
)

select
  t.table_name,
  case
    when t.table_name in ('organisations', 'chapters', 'peer_mentors') then 'id'
    else (
      select k.name
      from unnest('{mentor_id,chapter_id,recipient_id,user_id,organisation_id}'::text[]) with ordinality as k (name, place)
      inner join pg_attribute as a on a.attrelid = t.oid and a.attname = k.name and not a.attisdropped
      order by k.place
      limit 1
    )
  end as key_column
from tables as t
order by t.table_name
