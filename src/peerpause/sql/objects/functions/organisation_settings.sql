-- An organisation's settings as one object, as far as the reader may see the organisation; null for one they may not.
create function peerpause.organisation_settings(p_organisation_id uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select
      jsonb_build_object(
        'role_word', o.role_word,
        'role_word_plural', o.role_word_plural,
        'language', o.language,
        'time_zone', o.time_zone,
        'required_certification_kinds', to_jsonb(o.required_certification_kinds),
        'push_detail', o.push_detail,
        'reminder_days', to_jsonb(o.reminder_days),
        'return_reminder_days', to_jsonb(o.return_reminder_days),
        'auto_return', o.auto_return,
        'reason_labels', (
          select coalesce(jsonb_object_agg(r.reason, r.labels), '{}')
          from (
            select l.reason, jsonb_object_agg(l.language, l.label) as labels
            from public.reason_labels as l
            where l.organisation_id = o.id
            group by l.reason
          ) as r
        )
      )
    from public.organisations as o
    where o.id = p_organisation_id
  );
end
$$;

-- The latest change of an organisation's settings: what somebody hands back who read them, to be refused if they moved on.
create function peerpause.latest_settings_change(p_organisation_id uuid)
returns uuid
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select c.id
    from public.organisation_changes as c
    where c.organisation_id = p_organisation_id and c.kind = 'settings'
    order by c.changed_at desc, c.id desc
    limit 1
  );
end
$$;
