-- The functions of schema public that are ours, and whether the current role may call each at all.
select
  p.proname::text as function_name,
  has_function_privilege(p.oid, 'execute') as may_call
from pg_proc as p
where
  p.pronamespace = 'public'::regnamespace
  and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
order by p.proname
