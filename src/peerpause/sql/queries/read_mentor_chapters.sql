-- The mentor's chapters, and whether anybody else is active there. PT404, 42501 for whoever may not change the mentor.
-- Parameter: mentor_id.
select c.chapter_id, c.name, c.has_others_active
from peerpause.chapters_of_mentor(%(mentor_id)s::uuid) as c
