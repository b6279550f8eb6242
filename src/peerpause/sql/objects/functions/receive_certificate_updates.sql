-- Records the renewals of one signed message from an organisation's own system, all of them or none. For the service role, after
-- it has checked the signature.
--
-- p_updates: [{mentor, kind, issued_on, expires_on, note}], mentor being the organisation's own id for the mentor. Answers how many
-- were recorded, and whether the message had been taken before: then nothing is recorded again. Refuses: 22023 an unknown mentor
-- (HINT names the places in the list), or a message id used before for another message; and whatever record_renewal refuses.
-- Locks: the message's row, so that a repetition waits for the first; then what record_renewal locks, mentors in order of id.
create function peerpause.receive_certificate_updates(
  p_organisation_id uuid,
  p_message_id text,
  p_updates jsonb,
  out o_recorded integer,
  out o_repeated boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fingerprint constant bytea := sha256(convert_to(p_updates::text, 'UTF8'));
  v_first peerpause.inbound_messages;
  v_unknown text;
  v_update record;
begin
  o_repeated := false;
  o_recorded := jsonb_array_length(p_updates);
  insert into peerpause.inbound_messages (organisation_id, message_id, fingerprint, updates)
  values (p_organisation_id, p_message_id, v_fingerprint, o_recorded)
  on conflict (organisation_id, message_id) do nothing;
  if not found then
    select * into v_first
    from peerpause.inbound_messages as m
    where m.organisation_id = p_organisation_id and m.message_id = p_message_id;
    if v_first.fingerprint <> v_fingerprint then
      raise exception 'this message id was used for another message'
        using errcode = '22023', hint = 'Use a new webhook-id for a new message, and the same one to repeat it.';
    end if;
    o_repeated := true;
    return;
  end if;

  select string_agg(u.place::text, ', ' order by u.place)
  into v_unknown
  from jsonb_array_elements(p_updates) with ordinality as u (one, place)
  where not exists (
    select from public.peer_mentors as p
    where p.organisation_id = p_organisation_id and p.external_id = u.one ->> 'mentor'
  );
  if v_unknown is not null then
    raise exception 'the message names mentors that are not known here; nothing was recorded'
      using errcode = '22023', hint = 'Check the mentors at these places of the list, counted from 1: ' || v_unknown || '.';
  end if;

  for v_update in
    select
      p.id as mentor_id,
      u.one ->> 'kind' as kind,
      (u.one ->> 'issued_on')::date as issued_on,
      (u.one ->> 'expires_on')::date as expires_on,
      u.one ->> 'note' as note
    from jsonb_array_elements(p_updates) with ordinality as u (one, place)
    inner join public.peer_mentors as p on p.organisation_id = p_organisation_id and p.external_id = u.one ->> 'mentor'
    order by p.id, u.place
  loop
    perform public.record_renewal(
      p_mentor_id => v_update.mentor_id,
      p_issued_at => v_update.issued_on,
      p_expires_at => v_update.expires_on,
      p_note => v_update.note,
      p_kind => v_update.kind
    );
  end loop;
end
$$;
