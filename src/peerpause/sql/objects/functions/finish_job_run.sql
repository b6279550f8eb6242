-- Closes a run that came to its end and answers what it did.
create function peerpause.finish_job_run(p_run_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run public.job_runs;
begin
  update public.job_runs as j
  set finished_at = clock_timestamp(), heartbeat_at = clock_timestamp(), status = 'succeeded'
  where j.id = p_run_id
  returning * into v_run;
  return jsonb_build_object(
    'job_id', v_run.id,
    'status', v_run.status,
    'queried', v_run.queried,
    'paused', v_run.paused,
    'skipped', v_run.skipped,
    'errors', v_run.errors,
    'duration_ms', round(extract(epoch from v_run.finished_at - v_run.started_at) * 1000)
  );
end
$$;
