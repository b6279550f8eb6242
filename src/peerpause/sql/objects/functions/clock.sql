-- The moment that dates are counted from. Tests replace it to move the clock; nothing else does.
create function peerpause.clock()
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return now();
end
$$;

-- Today's date where the organisation is.
create function peerpause.today(p_time_zone text)
returns date
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (peerpause.clock() at time zone p_time_zone)::date;
end
$$;
