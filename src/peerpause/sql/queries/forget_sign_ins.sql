-- Drops sign-ins that were begun more than an hour ago and never finished.
delete from peerpause.sign_in_attempts as a where a.created_at < now() - interval '1 hour'
