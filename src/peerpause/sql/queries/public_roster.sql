-- The public roster of a chapter at this moment. Parameter: chapter_id.
select r.mentor_id, r.display_name, r.languages, r.presentation, r.contact
from public.public_chapter_roster(%(chapter_id)s) as r
