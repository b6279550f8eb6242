-- Takes no more certificate updates from an organisation. Parameter: organisation_id.
select public.revoke_inbound_secret(%(organisation_id)s) as was_open
