-- sort_chapter_mentors
-- A page of a chapter's mentors in another order than by name. Parameters: chapter_id, status, search, sort, descending, limit, and the
-- place to go on behind: after_word, after_moment, after_id.
select
  listed.mentor_id,
  listed.display_name,
  listed.first_name,
  listed.status,
  listed.pause_reason,
  listed.paused_at,
  listed.expected_return_on,
  listed.reactivated_at,
  listed.updated_at
from peerpause.sort_chapter_mentors(
  p_chapter_id => %(chapter_id)s::uuid,
  p_status => %(status)s::text,
  p_search => %(search)s::text,
  p_sort => %(sort)s::text,
  p_descending => %(descending)s::boolean,
  p_limit => %(limit)s::integer,
  p_after_word => %(after_word)s::text,
  p_after_moment => %(after_moment)s::timestamptz,
  p_after_id => %(after_id)s::uuid
) as listed
