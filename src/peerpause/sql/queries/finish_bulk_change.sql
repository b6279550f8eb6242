-- Notes how it went with each of the mentors, in the order in which they were named.
update peerpause.bulk_changes as b
set outcomes = %(outcomes)s, finished_at = coalesce(b.finished_at, clock_timestamp())
where b.requested_by = %(person)s and b.id = %(id)s
