-- Whether any of these pieces of news concerns the caller: a change of status or of an expected return, or something the watchdog found,
-- that they may see, or a notice that is in their inbox; row security decides. Parameters: organisations and ids, two lists of one length.
select true as concerns
from unnest(%(organisations)s::uuid[], %(ids)s::uuid[]) as t (organisation_id, id)
where
  exists (
    select from public.peer_mentor_status_history as h where h.organisation_id = t.organisation_id and h.id = t.id
  )
  or exists (
    select from public.expected_return_changes as r where r.organisation_id = t.organisation_id and r.id = t.id
  )
  or exists (
    select from public.watchdog_incidents as i where i.organisation_id = t.organisation_id and i.id = t.id
  )
  or exists (
    select from public.notifications as n where n.notice_id = t.id and n.recipient_id = (select auth.uid())
  )
limit 1
