-- The latest deliveries to an organisation's webhooks. Parameters: organisation_id, limit.
select
  d.id, d.endpoint_id, d.change, d.state, d.error_code, d.attempts, d.found_at, d.settled_at, p.display_name as mentor_name,
  c.name as chapter_name
from public.webhook_deliveries as d
left join public.peer_mentors as p on p.id = d.mentor_id
left join public.chapters as c on c.id = d.chapter_id
where d.organisation_id = %(organisation_id)s::uuid
order by d.id desc
limit %(limit)s
