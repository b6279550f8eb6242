-- What a run has done so far, or did: {job_id, status, queried, paused, skipped, errors, visited, expected, duration_ms}, and
-- error_code where it failed. An unknown run has failed.
create function peerpause.job_run_report(p_run_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run public.job_runs;
begin
  select * into v_run from public.job_runs as j where j.id = p_run_id;
  return jsonb_strip_nulls(
    jsonb_build_object(
      'job_id', p_run_id,
      'status', coalesce(v_run.status, 'failed'),
      'queried', coalesce(v_run.queried, 0),
      'paused', coalesce(v_run.paused, 0),
      'skipped', coalesce(v_run.skipped, 0),
      'errors', coalesce(v_run.errors, 0),
      'visited', coalesce(v_run.visited, 0),
      'expected', coalesce(v_run.expected, 0),
      'duration_ms',
      coalesce(round(extract(epoch from coalesce(v_run.finished_at, clock_timestamp()) - v_run.started_at) * 1000), 0),
      'error_code', v_run.error_code
    )
  );
end
$$;

-- Closes a run that came to its end, and answers what it did. One that is closed already stays as it is.
create function peerpause.finish_job_run(p_run_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.job_runs as j
  set finished_at = clock_timestamp(), heartbeat_at = clock_timestamp(), status = 'succeeded'
  where j.id = p_run_id and j.status = 'running';
  return peerpause.job_run_report(p_run_id);
end
$$;

-- Closes a run that could not go on, with the code of the error, and answers what it did until then.
create function peerpause.fail_job_run(p_run_id uuid, p_error_code text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.job_runs as j
  set finished_at = clock_timestamp(), heartbeat_at = clock_timestamp(), status = 'failed', error_code = p_error_code
  where j.id = p_run_id and j.status = 'running';
  return peerpause.job_run_report(p_run_id);
end
$$;
