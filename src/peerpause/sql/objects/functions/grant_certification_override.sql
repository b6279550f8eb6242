-- Lets a mentor be active although a required certificate has expired, up to and including a day. Does not change the status:
-- whoever may, reactivates the mentor; the first night after the last day pauses them again.
--
-- Answers {success, mentor_id, override_id, valid_until}. Refuses: 42501 not an admin of the organisation, or for oneself; PT404 no
-- such mentor; 22023 a justification of fewer than 10 or more than 2000 characters, a last day in the past or more than a year away.
create function peerpause.grant_certification_override(
  p_mentor_id uuid,
  p_justification text,
  p_valid_until date,
  p_idempotency_key text
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise_staff(p_mentor_id);
  v_justification constant text := btrim(p_justification);
  v_today date;
  v_override_id uuid;
  v_known boolean;
  v_answer jsonb;
begin
  if not peerpause.caller_is_service() and not v_organisation_id = any(peerpause.my_organisations()) then
    raise exception 'an override is for an admin to grant' using errcode = '42501', hint = 'Ask an admin of the organisation.';
  end if;
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'grant_certification_override', v_organisation_id,
      jsonb_build_array(p_mentor_id, v_justification, p_valid_until)
    ) as f;
    if v_known then
      return v_answer;
    end if;
  end if;

  select peerpause.today(o.time_zone) into v_today from public.organisations as o where o.id = v_organisation_id;
  if v_justification is null or char_length(v_justification) not between 10 and 2000 then
    raise exception 'an override needs a justification of 10 to 2000 characters'
      using errcode = '22023', hint = 'Say why the mentor may go on without a valid certificate; it is kept for good.';
  end if;
  if p_valid_until is null or p_valid_until < v_today or p_valid_until > v_today + 366 then
    raise exception 'an override ends on a day between today and a year from now'
      using errcode = '22023', hint = 'Give p_valid_until, its last day.';
  end if;
  insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until, granted_by)
  values (v_organisation_id, p_mentor_id, v_justification, p_valid_until, peerpause.caller())
  returning id into v_override_id;
  v_answer := jsonb_build_object(
    'success', true, 'mentor_id', p_mentor_id, 'override_id', v_override_id, 'valid_until', p_valid_until
  );
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(p_idempotency_key, v_answer);
  end if;
  return v_answer;
end
$$;

create function public.grant_certification_override(
  p_mentor_id uuid,
  p_justification text,
  p_valid_until date,
  p_idempotency_key text default null
)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.grant_certification_override(p_mentor_id, p_justification, p_valid_until, p_idempotency_key);
end
$$;
