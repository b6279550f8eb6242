-- Whose organisation the mentor belongs to, if the caller answers for the mentor as somebody else: a coordinator of the mentor's
-- chapters, an admin, or the service role. PT404, 42501: as peerpause.authorise; 42501 also for the mentor.
create function peerpause.authorise_staff(p_mentor_id uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
begin
  if
    not peerpause.caller_is_service()
    and exists (select from public.peer_mentors as p where p.id = p_mentor_id and p.user_id = (select auth.uid()))
  then
    raise exception 'nobody vouches for themselves'
      using errcode = '42501', hint = 'Ask another coordinator of your chapter, or an admin.';
  end if;
  return v_organisation_id;
end
$$;

-- Records that a mentor's certificate was renewed, and brings the mentor back where the pause was for the certificate.
--
-- Adds a certificate and a row to the append-only history of renewals. A pause whose reason is certification_expired ends in the
-- same transaction, if nothing required is lapsed any more; any other pause stays. The mentor is told either way, and reminders of
-- the old certificate are cancelled. p_expires_at is the last valid day (null: no end); without p_kind it is the one kind that the
-- organisation requires, else peer_mentor.
-- Answers {success, mentor_id, certification_id, kind, expires_on, reactivated, status, updated_at}. Refuses: 42501 not yours, or
-- your own; PT404 no such mentor; 22023 a first day in the future, a last day in the past or before the first, a note too long.
-- Locks: the key's row if one is given, then the mentor's row.
create function peerpause.record_renewal(
  p_mentor_id uuid,
  p_issued_at date,
  p_expires_at date,
  p_note text,
  p_kind text,
  p_idempotency_key text
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise_staff(p_mentor_id);
  v_actor_id constant uuid := peerpause.caller();
  v_note constant text := nullif(btrim(p_note), '');
  v_organisation record;
  v_mentor public.peer_mentors;
  v_kind text := nullif(btrim(p_kind), '');
  v_previous date;
  v_certification_id uuid;
  v_reactivates boolean;
  v_known boolean;
  v_answer jsonb;
begin
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'record_renewal', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_issued_at, p_expires_at, v_note, v_kind)
    ) as f;
    if v_known then
      return v_answer;
    end if;
  end if;

  select o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
  into v_organisation
  from public.organisations as o
  where o.id = v_organisation_id;
  if p_issued_at is null or p_issued_at > v_organisation.today then
    raise exception 'a certificate is issued today or earlier'
      using errcode = '22023', hint = 'Give p_issued_at, the first valid day; record the renewal when it has come.';
  end if;
  if p_expires_at < p_issued_at or p_expires_at < v_organisation.today then
    raise exception 'the certificate would have run out already'
      using errcode = '22023', hint = 'p_expires_at is the last valid day: today or later, or null for no end.';
  end if;
  if char_length(v_note) > 2000 then
    raise exception 'the note is longer than 2000 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if v_kind is null then
    v_kind := case when cardinality(v_organisation.kinds) = 1 then v_organisation.kinds[1] else 'peer_mentor' end;
  end if;

  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  select c.expires_on
  into v_previous
  from public.certifications as c
  where c.mentor_id = p_mentor_id and c.kind = v_kind and c.issued_on <= v_organisation.today
  order by c.expires_on desc
  limit 1;
  insert into public.certifications (organisation_id, mentor_id, kind, issued_on, expires_on, recorded_by)
  values (v_organisation_id, p_mentor_id, v_kind, p_issued_at, p_expires_at, v_actor_id)
  returning id into v_certification_id;

  v_reactivates :=
    v_mentor.status = 'paused'
    and v_mentor.pause_reason = 'certification_expired'
    and peerpause.certification_lapsed_on(p_mentor_id, v_organisation.kinds, v_organisation.today) is null;
  insert into public.certification_renewals (
    organisation_id, mentor_id, certification_id, kind, issued_on, expires_on, previous_expires_on, ended_pause, note, recorded_by
  )
  values (
    v_organisation_id, p_mentor_id, v_certification_id, v_kind, p_issued_at, p_expires_at, v_previous, v_reactivates, v_note, v_actor_id
  );
  if v_reactivates then
    v_mentor := peerpause.change_status(p_mentor_id, 'active', v_actor_id, 'certification_renewed', null, null, null);
  elsif v_mentor.status <> 'inactive' then
    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, certification_id, facts)
    values (
      v_organisation_id, p_mentor_id, 'certification_renewed', 'mentor', v_organisation.today, v_certification_id,
      jsonb_build_object('certification_expires_on', p_expires_at, 'actor_id', v_actor_id)
    );
  end if;
  perform peerpause.cancel_notices(p_mentor_id);

  v_answer := jsonb_build_object(
    'success', true,
    'mentor_id', p_mentor_id,
    'certification_id', v_certification_id,
    'kind', v_kind,
    'expires_on', p_expires_at,
    'reactivated', v_reactivates,
    'status', v_mentor.status,
    'updated_at', v_mentor.updated_at
  );
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(p_idempotency_key, v_answer);
  end if;
  return v_answer;
end
$$;

create function public.record_renewal(
  p_mentor_id uuid,
  p_issued_at date,
  p_expires_at date,
  p_note text default null,
  p_kind text default null,
  p_idempotency_key text default null
)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.record_renewal(p_mentor_id, p_issued_at, p_expires_at, p_note, p_kind, p_idempotency_key);
end
$$;
