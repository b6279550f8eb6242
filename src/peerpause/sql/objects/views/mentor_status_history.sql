-- The history of each mentor the reader may see, without notes.
create view public.mentor_status_history
with (security_invoker = true) as
select
  h.mentor_id,
  h.previous_status as old_status,
  h.new_status,
  h.changed_by,
  h.reason,
  h.changed_at
from public.peer_mentor_status_history as h;

revoke all on table public.mentor_status_history from public, anon, authenticated, service_role;
