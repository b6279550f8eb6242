-- When the expected return of a mentor's pauses was changed, newest first, from before a moment; row security decides.
-- Parameters: mentor_id, limit, before (null: from the newest on).
select r.id, r.previous_return_on, r.expected_return_on, r.changed_by, r.changed_at
from public.expected_return_changes as r
where r.mentor_id = %(mentor_id)s::uuid and r.changed_at < coalesce(%(before)s::timestamptz, 'infinity')
order by r.changed_at desc
limit %(limit)s
