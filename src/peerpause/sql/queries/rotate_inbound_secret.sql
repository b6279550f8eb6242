-- Gives an organisation a new secret for its certificate updates and shows it, once. Parameter: organisation_id.
select public.rotate_inbound_secret(%(organisation_id)s) as secret
