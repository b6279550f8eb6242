-- Takes back a pause that has not begun.
-- Answers whether there was one. Refuses: 42501 not yours; PT404 no such mentor.
create function peerpause.cancel_scheduled_pause(p_mentor_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return peerpause.settle_schedule(p_mentor_id, peerpause.caller(), 'cancelled');
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
