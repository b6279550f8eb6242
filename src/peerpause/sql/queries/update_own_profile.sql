-- As update_public_profile, unless the mentor's row has moved on since it was read: then no row, and nothing is changed. Two that
-- arrive in the very same moment may both pass; the later one stands.
-- Parameters: mentor_id, listed, languages, presentation, public_contact, expected_updated_at.
select u.mentor_id, u.listed, u.languages, u.presentation, u.public_contact
from public.peer_mentors as p
cross join lateral public.update_public_profile(
  p.id, %(listed)s, %(languages)s::text[], %(presentation)s::text, %(public_contact)s::text
) as u
where p.id = %(mentor_id)s and p.updated_at = %(expected_updated_at)s::timestamptz
