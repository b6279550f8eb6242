-- Whether Procrastinate's tables are there. A statement after the lock, because one that waited would answer as of before.
select to_regclass('procrastinate.procrastinate_jobs') is not null
