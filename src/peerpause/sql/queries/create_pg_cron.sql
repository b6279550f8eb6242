-- Makes pg_cron's tables and functions where the server has them ready.
create extension if not exists pg_cron
