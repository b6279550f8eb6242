-- The signatures of functions in public, by name: what they take, by which names and types, and what they give back.
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
  ) as arguments
from pg_catalog.pg_proc as p
where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' and p.proname = any(%(names)s::text[])
order by p.oid
