-- The person whom a provider knows under this subject. Parameters: issuer, subject.
select i.user_id
from peerpause.sign_in_identities as i
where i.issuer = %(issuer)s and i.subject = %(subject)s
