-- The moment that dates are counted from. Tests replace it to move the clock; nothing else does.
create function peerpause.clock()
returns timestamptz
language sql
stable
parallel safe
return now();

-- Today's date where the organisation is.
create function peerpause.today(p_time_zone text)
returns date
language sql
stable
parallel safe
return (peerpause.clock() at time zone p_time_zone)::date;
