-- A chapter's public page at this moment, in one look: no row for an unknown chapter, one with a null mentor_id for an empty roster.
-- Parameter: chapter_id.
select
  c.chapter_name, c.role_word, c.language, c.day_ends_in,
  r.mentor_id, r.display_name, r.languages, r.presentation, r.contact
from public.public_chapter(%(chapter_id)s) as c
left join lateral public.public_chapter_roster(%(chapter_id)s) as r on true
order by r.display_name, r.mentor_id
