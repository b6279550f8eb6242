-- How a mentor is reached. Refuses with PT404 or 42501 for a mentor who is not the caller's.
select a.email
from peerpause.address_of_mentor(%(mentor_id)s::uuid) as a
