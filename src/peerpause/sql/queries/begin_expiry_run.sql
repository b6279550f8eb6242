-- Opens a run of the certificate check. Parameters: chapter_ids (null: everybody), lease (seconds).
-- No run_id: another is at it; full_run_under_way tells whether that one leaves nobody out.
select
  peerpause.begin_expiry_run(%(chapter_ids)s::uuid[], make_interval(secs => %(lease)s)) as run_id,
  (
    select count(*) > 0
    from public.job_runs as j
    where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'running'
  ) as full_run_under_way
