-- The status of each mentor the reader may see.
create view public.peer_mentor_status
with (security_invoker = true) as
select
  p.id as mentor_id,
  p.status,
  p.pause_reason,
  p.pause_at as paused_at,
  p.reactivated_at,
  p.updated_at
from public.peer_mentors as p;

revoke all on table public.peer_mentor_status from public, anon, authenticated, service_role;
