-- Takes the person out of their rows as a mentor in one organisation: they leave, their notes and names go. Answers a tally by table.
create function peerpause.erase_mentors(p_organisation_id uuid, p_mentor_ids uuid[], p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor_ids constant uuid[] := array(
    select p.id from public.peer_mentors as p
    where p.organisation_id = p_organisation_id and p.id = any(p_mentor_ids)
    order by p.id for update
  );
  v_word constant text := (
    select case o.language when 'en' then 'Erased person' when 'nn' then 'Sletta person' else 'Slettet person' end
    from public.organisations as o
    where o.id = p_organisation_id
  );
  v_name constant text := v_word || ' ' || left(p_pseudonym::text, 8);
  v_counts jsonb := '{}'::jsonb;
  v_count bigint;
begin
  if cardinality(v_mentor_ids) = 0 then
    return v_counts;
  end if;
  perform peerpause.settle_schedule(m.id, null, 'cancelled') from unnest(v_mentor_ids) as m (id);
  perform peerpause.deactivate_mentor(p.id, 'deactivated', null, null, null)
  from public.peer_mentors as p
  where p.id = any(v_mentor_ids) and p.status <> 'inactive';

  v_counts := jsonb_build_object(
    'notes',
    peerpause.clear_notes(
      p_organisation_id,
      array(
        select h.id from public.peer_mentor_status_history as h where h.mentor_id = any(v_mentor_ids)
        union all
        select r.id from public.certification_renewals as r where r.mentor_id = any(v_mentor_ids)
        union all
        select o.id from public.certification_overrides as o where o.mentor_id = any(v_mentor_ids)
      ),
      'erasure'
    )
  );

  update public.scheduled_status_changes as s
  set note = null
  where s.mentor_id = any(v_mentor_ids) and s.note is not null;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('scheduled_status_changes', v_count);

  update public.mentor_notices as n
  set cancelled_at = clock_timestamp()
  where n.mentor_id = any(v_mentor_ids) and n.told_at is null and n.cancelled_at is null;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('mentor_notices', v_count);

  update public.notifications as n
  set payload = n.payload || jsonb_build_object('display_name', v_name, 'first_name', v_word)
  where
    n.organisation_id = p_organisation_id
    and n.mentor_id = any(v_mentor_ids)
    and n.payload ->> 'display_name' is distinct from v_name;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('notifications', v_count);

  -- What others were answered over HTTP may quote names and notes; they are kept for a day.
  delete from public.idempotency_keys as k
  where
    (k.organisation_id is null or k.organisation_id = p_organisation_id)
    and exists (select from unnest(v_mentor_ids) as m (id) where strpos(k.response::text, m.id::text) > 0);
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('idempotency_keys', v_count);

  update public.peer_mentors as p
  set
    user_id = case when p.user_id is not null then p_pseudonym end,
    display_name = v_name,
    first_name = v_word,
    external_id = null,
    listed = false,
    languages = '{}',
    presentation = null,
    public_contact = null
  where
    p.id = any(v_mentor_ids)
    and (
      p.display_name <> v_name
      or p.first_name <> v_word
      or p.user_id <> p_pseudonym
      or p.external_id is not null
      or p.listed
      or p.languages <> '{}'
      or p.presentation is not null
      or p.public_contact is not null
    );
  get diagnostics v_count = row_count;
  return peerpause.summed(v_counts, jsonb_build_object('peer_mentors', v_count));
end
$$;
