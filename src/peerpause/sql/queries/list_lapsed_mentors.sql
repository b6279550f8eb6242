-- Active mentors whose required certificate has lapsed. Parameter: chapter_ids (null: all).
select l.mentor_id, l.expired_on
from peerpause.lapsed_mentors(%(chapter_ids)s::uuid[], null, null) as l
where l.status = 'active'
order by l.expired_on, l.mentor_id
