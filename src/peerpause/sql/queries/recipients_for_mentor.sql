-- Who must hear of a mentor, with their devices and language. Parameter: mentor_id. No row where there is nobody.
select
  c.user_id,
  c.is_fallback,
  coalesce(p.language, o.language) as language,
  coalesce(p.push_enabled, true) as push_enabled,
  o.role_word,
  o.push_detail = 'minimal' as minimal,
  (
    select coalesce(jsonb_agg(jsonb_build_object('token', d.token, 'kind', d.kind) order by d.last_seen_at desc), '[]')
    from public.device_tokens as d
    where d.user_id = c.user_id and d.retired_at is null
  ) as devices
from peerpause.coordinators_of(array[%(mentor_id)s::uuid]) as c
inner join public.peer_mentors as m on m.id = c.mentor_id
inner join public.organisations as o on o.id = m.organisation_id
left join public.people as p on p.user_id = c.user_id
order by c.user_id
