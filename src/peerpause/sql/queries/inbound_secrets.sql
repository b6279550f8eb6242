-- The secrets that an organisation's certificate updates may be signed with now. Parameter: organisation_id.
select s.secret, case when s.previous_secret_until > now() then s.previous_secret end as previous_secret
from peerpause.inbound_secrets as s
where s.organisation_id = %(organisation_id)s
