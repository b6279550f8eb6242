-- Under which subjects providers know a person. Parameter: user_id.
select i.issuer, i.subject, i.linked_by, i.linked_at
from peerpause.sign_in_identities as i
where i.user_id = %(user_id)s
order by i.linked_at
