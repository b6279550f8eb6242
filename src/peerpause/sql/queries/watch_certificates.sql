-- What the watchdog sees; what is new, and what is over, is written down and told to the admins.
select peerpause.watch_certificates() as report
