-- Links a subject to the one person with a verified address, or says why not. Parameters: issuer, subject, email.
select l.user_id, l.outcome
from peerpause.link_sign_in(%(issuer)s, %(subject)s, %(email)s) as l
