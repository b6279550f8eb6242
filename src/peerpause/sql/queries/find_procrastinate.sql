-- Whether Procrastinate's tables are there. Whoever asks holds the lock until their transaction ends, so that one makes them.
select to_regclass('procrastinate.procrastinate_jobs') is not null
from pg_advisory_xact_lock(hashtextextended('peerpause.procrastinate', 0))
