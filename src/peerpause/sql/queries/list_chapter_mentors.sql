-- A page of a chapter's mentors by name, behind the one the last page ended with.
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
from public.list_chapter_mentors(
  p_chapter_id => %(chapter_id)s::uuid,
  p_status => %(status)s::text,
  p_search => %(search)s::text,
  p_limit => %(limit)s::integer,
  p_after_name => %(after_name)s::text,
  p_after_id => %(after_id)s::uuid
) as listed
