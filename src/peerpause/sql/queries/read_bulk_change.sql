-- A change of many mentors that this person asked for, and how it went.
select b.id, b.action, b.mentor_ids, b.requested_at, b.finished_at, b.outcomes
from peerpause.bulk_changes as b
where b.requested_by = %(person)s and b.id = %(id)s
