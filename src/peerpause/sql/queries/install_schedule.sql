-- Registers what the database does by the clock (UTC). A job of the same name is put right. The half hour between the check and the
-- watchdog is what peerpause.last_due_run counts on.
select j.name, cron.schedule(j.name, j.schedule, j.command) as id
from (
  values
  ('peerpause-certificate-check', '0 2 * * *', 'select public.run_certification_expiry()'),
  ('peerpause-watchdog', '30 2 * * *', 'select peerpause.watch_certificates()'),
  ('peerpause-reminders', '20 * * * *', 'select peerpause.make_reminders()'),
  ('peerpause-planned-pauses', '* * * * *', 'select * from peerpause.apply_scheduled_changes(100)')
) as j (name, schedule, command)
