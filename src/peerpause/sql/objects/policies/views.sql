grant select on public.peer_mentor_status, public.mentor_status_history to authenticated, service_role;
