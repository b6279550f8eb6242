-- The signatures of functions in public, by name: what they take, by which names and types, and what they give back: which columns.
-- Parameter: names.
select
  p.proname as function_name,
  p.provolatile <> 'v' as is_read_only,
  p.proretset as gives_set,
  p.prorettype = 'void'::regtype as gives_nothing,
  coalesce(
    (
      select
        jsonb_agg(
          jsonb_build_object(
            'name', p.proargnames[a.place],
            'type', pg_catalog.format_type(a.type, null),
            'required', a.place <= p.pronargs - p.pronargdefaults
          )
          order by a.place
        )
      from unnest(p.proargtypes::oid[]) with ordinality as a (type, place)
    ),
    '[]'
  ) as arguments,
  coalesce(
    (
      select jsonb_agg(p.proargnames[m.place] order by m.place)
      from unnest(p.proargmodes) with ordinality as m (mode, place)
      where m.mode in ('o', 'b', 't')
    ),
    (
      select jsonb_agg(a.attname order by a.attnum)
      from pg_catalog.pg_attribute as a
      inner join pg_catalog.pg_type as t on t.typrelid = a.attrelid
      where t.oid = p.prorettype and a.attnum > 0 and not a.attisdropped
    ),
    '[]'
  ) as columns
from pg_catalog.pg_proc as p
where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' and p.proname = any(%(names)s::text[])
order by p.oid
