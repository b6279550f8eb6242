-- What a mentor's own page shows beside the status: the public profile, what decides about being active and public today, and the
-- pause that is planned. PT404, 42501 for whoever may not change the mentor. Parameter: mentor_id.
select
  p.display_name,
  p.listed,
  p.languages,
  p.presentation,
  p.public_contact,
  o.auto_return,
  d.today,
  d.required_kinds,
  d.is_certified,
  d.blocking_lapse,
  d.covered_until,
  d.is_public,
  s.effective_at as planned_at,
  s.reason as planned_reason,
  case when s.id is not null then (select n.note from peerpause.notes_of(%(mentor_id)s::uuid) as n where n.entry_id = s.id) end as planned_note,
  s.expected_return_on as planned_return_on
from peerpause.standing_of_mentor(%(mentor_id)s::uuid) as d
inner join public.peer_mentors as p on p.id = %(mentor_id)s::uuid
inner join public.organisations as o on o.id = p.organisation_id
left join public.scheduled_status_changes as s on s.mentor_id = p.id and s.settled_at is null
