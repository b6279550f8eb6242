-- Says which reasons there are, without repeating the one that was given: it may be somebody's free text.
create function peerpause.refuse_reason(p_reason text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if nullif(btrim(p_reason), '') is null then
    raise exception 'a reason is required' using
      errcode = '22023',
      hint = 'Give one of: ' || array_to_string(peerpause.reason_codes(), ', ');
  end if;
  raise exception 'unknown reason' using
    errcode = '22023',
    hint = 'Give one of: ' || array_to_string(peerpause.reason_codes(), ', ') || '. Free text belongs into the note.';
end
$$;

-- Says that a reason is not for people to give.
create function peerpause.refuse_system_reason(p_reason text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the reason % is given by the system only', p_reason
    using errcode = '22023', hint = 'Give a reason of your own, for example self_pause or other.';
end
$$;
