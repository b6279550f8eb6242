-- An expected return lies on or after the first day of the pause, and never in the past, on the organisation's calendar.
create function peerpause.require_return_date(p_expected_return_on date, p_pause_at timestamptz, p_organisation_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_first_day date;
begin
  if p_expected_return_on is null then
    return;
  end if;
  select (greatest(p_pause_at, peerpause.clock()) at time zone o.time_zone)::date
  into v_first_day
  from public.organisations as o
  where o.id = p_organisation_id;
  if p_expected_return_on < v_first_day then
    raise exception 'the expected return date lies before the pause begins'
      using errcode = '22023', hint = format('Give %s or a later day, or none.', v_first_day);
  end if;
end
$$;
