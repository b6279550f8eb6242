-- The names of those who recorded a mentor's certificates. Parameter: mentor_id.
select r.user_id, r.display_name
from peerpause.recorders_of_mentor(%(mentor_id)s) as r
