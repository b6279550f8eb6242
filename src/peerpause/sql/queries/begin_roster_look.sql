-- Takes organisations whose rosters nobody has looked at for a while, and has webhooks to tell. A statement of its own before
-- announce_roster_changes, in the same transaction: so that one sees everything that whoever looked before has written.
-- Passes over what another worker has taken. Parameters: rest (seconds since the last look), at_most (organisations).
update peerpause.roster_watches as w
set looked_at = now()
from (
  select r.organisation_id
  from peerpause.roster_watches as r
  where
    r.looked_at <= clock_timestamp() - make_interval(secs => %(rest)s)
    and exists (select from public.webhook_endpoints as e where e.organisation_id = r.organisation_id and e.active)
  order by r.looked_at
  limit %(at_most)s
  for update skip locked
) as d
where w.organisation_id = d.organisation_id
