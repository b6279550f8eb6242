-- Whether the current role sees a row of a table that is somebody's. Put in: table_name, key_column. Parameter: id.
select exists (select from public.{table_name} as t where t.{key_column} = %(id)s) as seen -- noqa: PRS, LT01
