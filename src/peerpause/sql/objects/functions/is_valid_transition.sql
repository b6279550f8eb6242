-- The state machine: three legal moves and no others. Staying put is not a move.
-- The same three pairs stand in peerpause.status.rules; a test compares them.
create function peerpause.is_valid_transition(p_from public.mentor_status, p_to public.mentor_status)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (p_from, p_to) in (('active', 'paused'), ('paused', 'active'), ('active', 'inactive'));
end
$$;
