-- Takes back a pause that has not begun.
-- Answers whether there was one; then updated_at has moved on. Refuses: 42501 not yours; PT404 no such mentor. Locks the mentor's row.
create function peerpause.cancel_scheduled_pause(p_mentor_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  perform from public.peer_mentors as p where p.id = p_mentor_id for update;
  if not peerpause.settle_schedule(p_mentor_id, peerpause.caller(), 'cancelled') then
    return false;
  end if;
  update public.peer_mentors as p set updated_at = p.updated_at where p.id = p_mentor_id;
  return true;
end
$$;

create function public.rpc_cancel_scheduled_pause(p_mentor_id uuid)
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.cancel_scheduled_pause(p_mentor_id);
end
$$;
