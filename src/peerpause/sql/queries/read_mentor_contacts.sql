-- Whom the mentor can turn to, by name. PT404, 42501 for whoever may not change the mentor. Parameter: mentor_id.
select c.user_id, c.display_name, c.email, c.is_admin
from peerpause.contacts_of_mentor(%(mentor_id)s::uuid) as c
