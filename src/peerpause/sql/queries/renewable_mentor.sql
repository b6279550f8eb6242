-- A mentor whose certificate the reader may renew, as the form for it needs: what is required, and the latest certificate of each kind
-- with who recorded it. No row for a mentor whom the reader may not see. Parameter: mentor_id.
select
  p.id as mentor_id,
  p.organisation_id,
  p.display_name,
  p.status,
  p.pause_reason,
  coalesce(p.user_id = (select auth.uid()), false) as is_own,
  o.required_certification_kinds as kinds,
  peerpause.today(o.time_zone) as today,
  (
    select
      coalesce(
        jsonb_agg(
          jsonb_build_object(
            'certification_id', c.id,
            'kind', c.kind,
            'issued_on', c.issued_on,
            'expires_on', c.expires_on,
            'recorded_by', c.recorded_by,
            'recorded_at', c.recorded_at
          )
          order by c.kind
        ),
        '[]'
      )
    from (
      select distinct on (l.kind) l.*
      from public.certifications as l
      where l.mentor_id = p.id
      order by l.kind, l.expires_on desc, l.recorded_at desc
    ) as c
  ) as certificates,
  (
    select max(v.valid_until)
    from public.certification_overrides as v
    where v.mentor_id = p.id and v.valid_until >= peerpause.today(o.time_zone)
  ) as covered_until
from public.peer_mentors as p
inner join public.organisations as o on o.id = p.organisation_id
where p.id = %(mentor_id)s
