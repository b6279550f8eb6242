-- Replaces what the public roster shows of a mentor. Parameters: mentor_id, listed, languages, presentation, public_contact.
select u.mentor_id, u.listed, u.languages, u.presentation, u.public_contact
from public.update_public_profile(
  %(mentor_id)s, %(listed)s, %(languages)s::text[], %(presentation)s::text, %(public_contact)s::text
) as u
