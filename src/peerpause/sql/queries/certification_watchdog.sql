-- What the watchdog sees.
select public.certification_watchdog() as report
