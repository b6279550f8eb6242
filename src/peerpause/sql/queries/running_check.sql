-- The run of the certificate check that is under way, where the reader may see it.
select j.id as run_id
from public.job_runs as j
where j.job = 'certification_expiry' and j.status = 'running'
