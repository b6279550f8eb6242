-- What admins changed in an organisation, the newest first, with the names behind the ids. Parameters: organisation_id, limit.
with latest as materialized (
  select c.id, c.kind, c.chapter_id, c.person_id, c.before, c.after, c.changed_by, c.changed_at
  from public.organisation_changes as c
  where c.organisation_id = %(organisation_id)s::uuid
  order by c.changed_at desc, c.id desc
  limit %(limit)s
),

named as materialized (
  select n.user_id, n.display_name
  from peerpause.names_in_organisation(
    %(organisation_id)s::uuid,
    array(select l.changed_by from latest as l union select l.person_id from latest as l)
  ) as n
)

select
  l.id, l.kind, l.before, l.after, l.changed_at, l.changed_by, chapter.name as chapter_name, actor.display_name as changed_by_name,
  person.display_name as person_name
from latest as l
left join public.chapters as chapter on chapter.id = l.chapter_id
left join named as actor on actor.user_id = l.changed_by
left join named as person on person.user_id = l.person_id
order by l.changed_at desc, l.id desc
