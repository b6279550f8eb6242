-- Takes back what the twin of the same name added, with the runs of retention. What was let go of stays gone.
drop function public.set_retention(uuid, integer, integer, integer, integer, integer);
drop function public.get_retention(uuid);
drop function peerpause.retain_batch(uuid, integer);
drop function peerpause.begin_retention_run(uuid);
drop function peerpause.retain_shared(boolean);
drop function peerpause.retain(uuid, integer, boolean);
drop function peerpause.set_retention(uuid, integer, integer, integer, integer, integer);
drop function peerpause.get_retention(uuid);

drop index public.history_notes;

delete from public.job_runs as j where j.job = 'retention';
alter table public.job_runs drop constraint job_runs_job_is_known;
alter table public.job_runs
  add constraint job_runs_job_is_known check (job in ('certification_expiry', 'certification_watchdog'));
alter table public.job_runs drop column tally;
comment on table public.job_runs is 'Runs of the certificate check and its watchdog, with their counts.';

drop table peerpause.retention_rules;
