-- Forgets whom a subject stands for. Parameters: issuer, subject.
delete from peerpause.sign_in_identities as i
where i.issuer = %(issuer)s and i.subject = %(subject)s
returning i.user_id
