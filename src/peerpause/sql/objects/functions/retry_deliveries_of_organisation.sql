-- Lets deliveries of an organisation start over that ended without success, for its admins: these, or with null all that failed or
-- were given up. What was sent, or what its recipient does not want, stays as it is. Answers how many will be tried.
-- 42501: not yours. Locks: the deliveries' rows.
create function peerpause.retry_deliveries_of_organisation(p_organisation_id uuid, p_ids uuid[])
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_count integer;
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  update public.notification_deliveries as d
  set
    state = 'pending',
    outcome = null,
    error_code = null,
    settled_at = null,
    first_tried_at = null,
    attempts = 0,
    not_before = clock_timestamp()
  where
    d.organisation_id = p_organisation_id
    and (
      p_ids is null and d.state in ('failed', 'expired')
      or d.id = any(p_ids) and d.state in ('failed', 'expired', 'skipped')
    )
    and d.outcome is distinct from 'opted_out';
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
