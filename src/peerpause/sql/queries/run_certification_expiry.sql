-- The certificate check. Parameter: chapter_ids (null: whatever the caller answers for).
select public.run_certification_expiry(%(chapter_ids)s::uuid[]) as report
