-- Who the signed-in person is and which parts they have, for the pages: always one row.
with organisation as (
  select
    o.id,
    jsonb_build_object(
      'organisation_id', o.id,
      'organisation_name', o.name,
      'language', o.language,
      'time_zone', o.time_zone,
      'role_word', o.role_word,
      'role_word_plural', o.role_word_plural,
      'certificates_required', o.required_certification_kinds <> '{}'
    ) as facts,
    o.name
  from public.organisations as o
)

select
  person.display_name,
  person.first_name,
  person.language,
  (select count(*) from public.notifications as n where n.recipient_id = (select auth.uid()) and n.read_at is null) as unread,
  (
    select coalesce(jsonb_agg(o.facts || jsonb_build_object('mentor_id', p.id) order by o.name, p.id), '[]')
    from public.peer_mentors as p
    inner join organisation as o on o.id = p.organisation_id
    where p.id = any((select peerpause.my_mentors())::uuid[])
    -- A row that was left for another one is history: the new one stands for the person.
    and not exists (
      select from public.peer_mentors as later
      where later.organisation_id = p.organisation_id and later.predecessor_id = p.id
    )
  ) as mentors,
  (
    select
      coalesce(
        jsonb_agg(o.facts || jsonb_build_object('chapter_id', c.id, 'chapter_name', c.name) order by o.name, c.name, c.id), '[]'
      )
    from public.chapters as c
    inner join organisation as o on o.id = c.organisation_id
    where c.id = any((select peerpause.my_chapters())::uuid[])
  ) as chapters,
  (
    select coalesce(jsonb_agg(o.facts order by o.name, o.id), '[]')
    from organisation as o
    where o.id = any((select peerpause.my_organisations())::uuid[])
  ) as administers
from (select (select auth.uid()) as user_id) as caller
left join public.people as person on person.user_id = caller.user_id
