-- A page of the mentors the reader answers for, each once, in the order asked for, behind the place where the last page ended.
-- `whole` names the organisations to read in full; of the others only `chapters`. Row security looks at every row that is shown.
select
  p.id as mentor_id,
  p.user_id,
  p.organisation_id,
  o.name as organisation_name,
  peerpause.today(o.time_zone) as today,
  p.display_name,
  p.status,
  p.pause_reason,
  case p.status when 'paused' then p.pause_at when 'active' then p.reactivated_at end as since,
  p.expected_return_on,
  p.updated_at,
  listed.o_certified_until as certified_until,
  listed.o_rank as rank,
  (
    select s.effective_at
    from public.scheduled_status_changes as s
    where s.mentor_id = p.id and s.settled_at is null
  ) as scheduled_pause_at,
  (
    select coalesce(array_agg(c.name order by c.name), '{}')
    from public.chapter_memberships as m
    inner join public.chapters as c on c.id = m.chapter_id
    where m.mentor_id = p.id
  ) as chapters
from public.organisations as o
cross join lateral peerpause.roster_page(
  p_organisation_id => o.id,
  p_chapters => case when not o.id = any(%(whole)s::uuid[]) then %(chapters)s::uuid[] end,
  p_statuses => %(statuses)s::text[]::public.mentor_status[],
  p_patterns => %(patterns)s::text[],
  p_certificate => %(certificate)s::text,
  p_days => %(days)s::integer,
  p_overdue => %(overdue)s::boolean,
  p_sort => %(sort)s::text,
  p_descending => %(descending)s::boolean,
  p_after_rank => %(after_rank)s::numeric,
  p_after_name => %(after_name)s::text,
  p_after_id => %(after_id)s::uuid,
  p_limit => %(limit)s::integer
) as listed
inner join public.peer_mentors as p on p.id = listed.o_mentor_id
where o.id = any(%(organisations)s::uuid[])
order by
  listed.o_rank,
  case when %(sort)s::text = 'name' and %(descending)s::boolean then p.display_name end desc,
  p.display_name,
  p.id
limit %(limit)s::integer
