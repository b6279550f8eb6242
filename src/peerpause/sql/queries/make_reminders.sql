-- Makes the notices that are due.
select peerpause.make_reminders() as report
