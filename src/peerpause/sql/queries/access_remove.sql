-- Removes somebody's rows, in a transaction that is rolled back. Put in: table_name, key_column. Parameter: id.
delete from public.{table_name} as t where t.{key_column} = %(id)s -- noqa: PRS
