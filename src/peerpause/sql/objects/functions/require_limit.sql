-- A page has 1 to 500 rows.
create function peerpause.require_limit(p_limit integer)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_limit is null or p_limit not between 1 and 500 then
    raise exception 'a page has 1 to 500 rows' using errcode = '22023', hint = 'Pass a p_limit from 1 to 500.';
  end if;
end
$$;
