-- Notes what a person asks to be done with many mentors; no row where this very request was noted before.
insert into peerpause.bulk_changes (requested_by, id, action, mentor_ids)
values (%(person)s, %(id)s, %(action)s, %(mentor_ids)s)
on conflict (requested_by, id) do nothing
returning id
