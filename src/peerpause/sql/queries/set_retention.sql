-- Decides how long an organisation keeps things. Parameters: organisation_id and all the times.
select public.set_retention(
  p_organisation_id => %(organisation_id)s::uuid,
  p_notes_months => %(notes_months)s::integer,
  p_deliveries_days => %(deliveries_days)s::integer,
  p_inbox_days => %(inbox_days)s::integer,
  p_runs_days => %(runs_days)s::integer,
  p_reads_days => %(reads_days)s::integer
)
