-- How long an organisation keeps what it need not keep for good, for its admins; is_default tells that it has decided nothing.
-- 42501: not an admin of the organisation.
create function peerpause.get_retention(p_organisation_id uuid)
returns table (
  notes_months integer,
  deliveries_days integer,
  inbox_days integer,
  runs_days integer,
  reads_days integer,
  is_default boolean
)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  return query
  select
    coalesce(r.notes_months, 24), coalesce(r.deliveries_days, 180), coalesce(r.inbox_days, 365), coalesce(r.runs_days, 730),
    coalesce(r.reads_days, 730), r.organisation_id is null
  from (values (p_organisation_id)) as o (id)
  left join peerpause.retention_rules as r on r.organisation_id = o.id;
end
$$;

create function public.get_retention(p_organisation_id uuid)
returns table (
  notes_months integer,
  deliveries_days integer,
  inbox_days integer,
  runs_days integer,
  reads_days integer,
  is_default boolean
)
language plpgsql
stable
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select r.* from peerpause.get_retention(p_organisation_id) as r;
end
$$;

-- Decides how long an organisation keeps things: all values at once. The next nightly run goes by them.
-- 42501: not an admin of the organisation. 22023: a time out of its bounds.
create function peerpause.set_retention(
  p_organisation_id uuid,
  p_notes_months integer,
  p_deliveries_days integer,
  p_inbox_days integer,
  p_runs_days integer,
  p_reads_days integer
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  if
    coalesce(p_notes_months, 0) not between 1 and 120
    or coalesce(p_deliveries_days, 0) not between 7 and 3650
    or coalesce(p_inbox_days, 0) not between 30 and 3650
    or coalesce(p_runs_days, 0) not between 30 and 3650
    or coalesce(p_reads_days, 0) not between 90 and 3650
  then
    raise exception 'a time is out of its bounds'
      using
        errcode = '22023',
        hint = 'Notes 1 to 120 months; deliveries 7, inbox and runs 30, the read log 90 days or more, each 3650 days at most.';
  end if;
  insert into peerpause.retention_rules (organisation_id, notes_months, deliveries_days, inbox_days, runs_days, reads_days)
  values (p_organisation_id, p_notes_months, p_deliveries_days, p_inbox_days, p_runs_days, p_reads_days)
  on conflict (organisation_id) do update
  set
    notes_months = excluded.notes_months,
    deliveries_days = excluded.deliveries_days,
    inbox_days = excluded.inbox_days,
    runs_days = excluded.runs_days,
    reads_days = excluded.reads_days,
    changed_at = excluded.changed_at;
end
$$;

create function public.set_retention(
  p_organisation_id uuid,
  p_notes_months integer,
  p_deliveries_days integer,
  p_inbox_days integer,
  p_runs_days integer,
  p_reads_days integer
)
returns void
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.set_retention(p_organisation_id, p_notes_months, p_deliveries_days, p_inbox_days, p_runs_days, p_reads_days);
end
$$;
