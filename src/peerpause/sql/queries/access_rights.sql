-- What the current role may do with a table at all: insert, delete, and the first column that it may update (null: none).
-- Parameter: table_name.
select
  has_any_column_privilege(c.oid, 'insert') as may_insert,
  has_table_privilege(c.oid, 'delete') as may_delete,
  (
    select a.attname::text
    from pg_attribute as a
    where
      a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      and has_column_privilege(c.oid, a.attnum, 'update') and has_column_privilege(c.oid, a.attnum, 'select')
    order by a.attnum desc
    limit 1
  ) as updatable_column
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relname = %(table_name)s
