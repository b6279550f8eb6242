-- The names of those who changed a mentor's status. PT404, 42501 for whoever may not change the mentor. Parameter: mentor_id.
select a.user_id, a.display_name
from peerpause.actors_of_mentor(%(mentor_id)s::uuid) as a
