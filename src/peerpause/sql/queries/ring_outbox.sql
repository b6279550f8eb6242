-- Tells the workers that there are changes to tell. Never part of a change's own transaction: commits would queue up behind it.
select pg_notify('peerpause_outbox', '')
