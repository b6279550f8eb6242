-- Changes settings of an organisation, for its admins, and records what they were and what they are.
--
-- p_settings holds the settings to change, by the names of peerpause.organisation_settings; others stay. reason_labels replaces all
-- labels. p_seen_change is the latest change the caller has seen (null: none). Answers that change's successor and the settings;
-- no row where somebody else was faster: then nothing was changed. Changing nothing leaves no record.
-- Refuses: 42501 not yours; 22023 a name or a value that is none. Locks: the organisation's row.
create function peerpause.change_organisation_settings(p_organisation_id uuid, p_settings jsonb, p_seen_change uuid)
returns table (change_id uuid, settings jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_before jsonb;
  v_after jsonb;
  v_change_id uuid;
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  perform peerpause.require_organisation_settings(p_settings);
  perform from public.organisations as o where o.id = p_organisation_id for no key update;
  if p_seen_change is distinct from peerpause.latest_settings_change(p_organisation_id) then
    return;
  end if;

  v_before := peerpause.organisation_settings(p_organisation_id);
  v_after := v_before || p_settings;
  update public.organisations as o
  set
    role_word = nullif(btrim(v_after ->> 'role_word'), ''),
    role_word_plural = nullif(btrim(v_after ->> 'role_word_plural'), ''),
    language = v_after ->> 'language',
    time_zone = v_after ->> 'time_zone',
    required_certification_kinds = array(select jsonb_array_elements_text(v_after -> 'required_certification_kinds')),
    push_detail = v_after ->> 'push_detail',
    reminder_days = array(select jsonb_array_elements_text(v_after -> 'reminder_days')::integer),
    return_reminder_days = array(select jsonb_array_elements_text(v_after -> 'return_reminder_days')::integer),
    auto_return = (v_after ->> 'auto_return')::boolean
  where o.id = p_organisation_id;
  if p_settings ? 'reason_labels' then
    delete from public.reason_labels as l where l.organisation_id = p_organisation_id;
    insert into public.reason_labels (organisation_id, reason, language, label)
    select p_organisation_id, r.key, l.key, btrim(l.value)
    from jsonb_each(p_settings -> 'reason_labels') as r
    cross join lateral jsonb_each_text(r.value) as l
    where btrim(l.value) <> '';
  end if;

  v_after := peerpause.organisation_settings(p_organisation_id);
  if v_after = v_before then
    return query select p_seen_change, v_after;
    return;
  end if;
  insert into public.organisation_changes (organisation_id, kind, before, after, changed_by)
  select
    p_organisation_id, 'settings', jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, v_after -> b.key), peerpause.caller()
  from jsonb_each(v_before) as b
  where b.value is distinct from v_after -> b.key
  returning id into v_change_id;
  return query select v_change_id, v_after;
end
$$;

-- Refuses (22023) settings that an organisation cannot have, naming the first that is wrong.
create function peerpause.require_organisation_settings(p_settings jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception 'the settings are no object' using errcode = '22023', hint = 'Pass a JSON object of the settings to change.';
  end if;
  select s.key into v_wrong
  from jsonb_each(p_settings) as s
  where
    case s.key
      when 'role_word' then jsonb_typeof(s.value) not in ('string', 'null') or char_length(s.value #>> '{}') > 60
      when 'role_word_plural' then jsonb_typeof(s.value) not in ('string', 'null') or char_length(s.value #>> '{}') > 60
      when 'language' then s.value not in (to_jsonb('nb'::text), to_jsonb('nn'::text), to_jsonb('en'::text))
      when 'time_zone' then not exists (select from pg_timezone_names as z where to_jsonb(z.name) = s.value)
      when 'push_detail' then s.value not in (to_jsonb('first_name'::text), to_jsonb('minimal'::text))
      when 'auto_return' then jsonb_typeof(s.value) <> 'boolean'
      when 'required_certification_kinds' then
        jsonb_typeof(s.value) <> 'array'
        or exists (
          select from jsonb_array_elements(case jsonb_typeof(s.value) when 'array' then s.value else '[]' end) as k
          where jsonb_typeof(k.value) <> 'string' or k.value #>> '{}' !~ '^[a-z][a-z0-9_]{0,59}$'
        )
      when 'reminder_days' then not peerpause.are_days(s.value)
      when 'return_reminder_days' then not peerpause.are_days(s.value)
      when 'reason_labels' then
        jsonb_typeof(s.value) <> 'object'
        or exists (
          select from jsonb_each(case jsonb_typeof(s.value) when 'object' then s.value else '{}' end) as r
          where
            not r.key = any(peerpause.reason_codes())
            or jsonb_typeof(r.value) <> 'object'
            or exists (
              select from jsonb_each(case jsonb_typeof(r.value) when 'object' then r.value else '{}' end) as l
              where
                l.key not in ('nb', 'nn', 'en')
                or jsonb_typeof(l.value) <> 'string'
                or char_length(btrim(l.value #>> '{}')) > 100
            )
        )
      else true
    end
  limit 1;
  if found then
    raise exception 'there is no such setting, or it cannot have this value: %', left(v_wrong, 60)
      using errcode = '22023', hint = 'See peerpause.organisation_settings for the names and what they look like.';
  end if;
end
$$;

-- Whether a JSON value is a list of at most ten whole numbers of days, from 0 to 365.
create function peerpause.are_days(p_value jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_value) <> 'array' or jsonb_array_length(p_value) > 10 then
    return false;
  end if;
  return not exists (
    select from jsonb_array_elements(p_value) as d
    where jsonb_typeof(d.value) <> 'number' or d.value #>> '{}' !~ '^[0-9]{1,3}$' or (d.value #>> '{}')::integer > 365
  );
end
$$;
