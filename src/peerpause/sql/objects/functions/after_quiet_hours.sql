-- The first moment from p_at on at which a person wants to be disturbed. Quiet hours may span midnight; equal ends mean none.
-- Times are the person's own, in p_time_zone; where the clocks change in between, the end is what the clock on the wall says.
create function peerpause.after_quiet_hours(p_at timestamptz, p_from time, p_until time, p_time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_local timestamp;
begin
  if p_from is null or p_until is null or p_from = p_until then
    return p_at;
  end if;
  begin
    v_local := p_at at time zone p_time_zone;
  exception
    -- A zone nobody knows: one person's typing error must not hold up everybody's news.
    when invalid_parameter_value then
      return p_at;
  end;
  if p_from < p_until then
    if v_local::time >= p_from and v_local::time < p_until then
      return (v_local::date + p_until) at time zone p_time_zone;
    end if;
  elsif v_local::time >= p_from then
    return (v_local::date + 1 + p_until) at time zone p_time_zone;
  elsif v_local::time < p_until then
    return (v_local::date + p_until) at time zone p_time_zone;
  end if;
  return p_at;
end
$$;
