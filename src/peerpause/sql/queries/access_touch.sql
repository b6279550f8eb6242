-- Writes a column of somebody's rows as it is. Put in: table_name, key_column, updatable_column. Parameter: id.
update public.{table_name} as t set {updatable_column} = t.{updatable_column} where t.{key_column} = %(id)s -- noqa: PRS
