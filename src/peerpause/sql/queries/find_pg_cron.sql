-- Whether pg_cron is in this database (created), or could be: it is installed on the server and works in this very database.
select
  e.oid is not null as created,
  e.oid is not null
  or (
    a.name is not null
    and coalesce(nullif(current_setting('cron.database_name', true), ''), '') = current_database()
  ) as available
from (values ('pg_cron')) as w (name)
left join pg_catalog.pg_extension as e on e.extname = w.name
left join pg_catalog.pg_available_extensions as a on a.name = w.name
