-- The status changes of an organisation, the newest first, with the names behind the ids. Without notes: those are read on the
-- person's own page, where the reading is recorded.
-- Parameters: organisation_id, person (pattern), actor (pattern), by_system, chapter_id, status, reason, since, until (each null: any),
-- before (null: from the newest on), limit.
with latest as materialized (
  select
    h.id, h.mentor_id, p.display_name as mentor_name, h.previous_status, h.new_status, h.changed_by, h.changed_at, h.reason,
    h.expected_return_on, h.certification_expires_at, h.job_run_id
  from public.peer_mentor_status_history as h
  inner join public.peer_mentors as p on p.id = h.mentor_id
  where
    h.organisation_id = %(organisation_id)s::uuid
    and (%(person)s::text is null or p.display_name ilike %(person)s::text)
    and (
      %(actor)s::text is null
      or h.changed_by in (
        select o.user_id
        from peerpause.list_people_of_organisation(%(organisation_id)s::uuid, %(actor)s::text, 500, null, null) as o
      )
    )
    and (%(by_system)s::boolean is null or (h.changed_by is null) = %(by_system)s::boolean)
    and (
      %(chapter_id)s::uuid is null
      or exists (
        select from public.chapter_memberships as m
        where m.mentor_id = h.mentor_id and m.chapter_id = %(chapter_id)s::uuid
      )
    )
    and (%(status)s::text is null or h.new_status = %(status)s::text::public.mentor_status)
    and (%(reason)s::text is null or h.reason = %(reason)s::text)
    and (%(since)s::timestamptz is null or h.changed_at >= %(since)s::timestamptz)
    and (%(until)s::timestamptz is null or h.changed_at < %(until)s::timestamptz)
    and (%(before)s::uuid is null or h.id < %(before)s::uuid)
  order by h.id desc
  limit %(limit)s
),

named as materialized (
  select n.user_id, n.display_name
  from peerpause.names_in_organisation(
    %(organisation_id)s::uuid, array(select distinct l.changed_by from latest as l where l.changed_by is not null)
  ) as n
)

select
  l.id, l.mentor_id, l.mentor_name, l.previous_status, l.new_status, l.changed_by, n.display_name as changed_by_name, l.changed_at,
  l.reason, l.expected_return_on, l.certification_expires_at, l.job_run_id
from latest as l
left join named as n on n.user_id = l.changed_by
order by l.id desc
