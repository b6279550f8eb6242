-- A pause or a deactivation needs a known reason; a return may give one. The system's own codes are not for people.
create function peerpause.require_reason(p_reason text, p_to public.mentor_status)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_reason is null and p_to = 'active' then
    return;
  end if;
  if p_reason is null or not p_reason = any(peerpause.reason_codes()) then
    perform peerpause.refuse_reason(p_reason);
  end if;
  if p_reason = any(peerpause.system_reason_codes()) and not peerpause.caller_is_service() then
    perform peerpause.refuse_system_reason(p_reason);
  end if;
end
$$;
