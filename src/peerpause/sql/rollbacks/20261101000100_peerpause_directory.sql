-- Takes the directory back: tables that we made go with everything in them; of tables that were here before us, only what we added.

-- 1. The ways in, and the keys. Foreign keys first: they lean on the keys.
alter table public.peer_mentors drop constraint peer_mentors_predecessor;
alter table public.certifications drop constraint certifications_mentor;
alter table public.coordinator_roles drop constraint coordinator_roles_chapter;
alter table public.chapter_memberships drop constraint chapter_memberships_mentor;
alter table public.chapter_memberships drop constraint chapter_memberships_chapter;

drop index public.device_tokens_user;
drop index public.certifications_organisation;
drop index public.certifications_mentor_idx;
drop index public.organisation_admins_user;
drop index public.coordinator_roles_organisation;
drop index public.coordinator_roles_user;
drop index public.chapter_memberships_organisation_mentor;
drop index public.chapter_memberships_organisation;
drop index public.chapter_memberships_mentor_idx;
drop index public.peer_mentors_predecessor_idx;
drop index public.peer_mentors_user;
drop index public.peer_mentors_external_id;
drop index public.chapters_external_id;
drop index public.organisations_external_id;
drop index public.peer_mentors_in_organisation;
drop index public.chapters_in_organisation;

-- 2. The truths.
alter table public.device_tokens drop constraint device_tokens_platform_is_known;
alter table public.device_tokens drop constraint device_tokens_kind_is_known;
alter table public.certifications drop constraint certifications_expire_after_issue;
alter table public.people drop constraint people_quiet_hours_have_both_ends;
alter table public.people drop constraint people_language_is_known;
alter table public.organisations drop constraint organisations_language_is_known;
alter table public.organisations drop constraint organisations_push_detail_is_known;

-- 3. The columns we added to tables that were here before us.
do $$
declare
  v_column record;
begin
  for v_column in
    select c.table_name, c.column_name
    from (
      values
      ('organisations', 'external_id'),
      ('organisations', 'time_zone'),
      ('organisations', 'language'),
      ('organisations', 'role_word'),
      ('organisations', 'required_certification_kinds'),
      ('organisations', 'push_detail'),
      ('chapters', 'external_id'),
      ('people', 'language'),
      ('people', 'time_zone'),
      ('people', 'push_enabled'),
      ('people', 'email_preferred'),
      ('people', 'quiet_from'),
      ('people', 'quiet_until'),
      ('peer_mentors', 'external_id'),
      ('peer_mentors', 'predecessor_id'),
      ('peer_mentors', 'listed'),
      ('peer_mentors', 'languages'),
      ('peer_mentors', 'presentation'),
      ('peer_mentors', 'public_contact'),
      ('certifications', 'recorded_by'),
      ('certifications', 'recorded_at'),
      ('device_tokens', 'kind'),
      ('device_tokens', 'registered_at'),
      ('device_tokens', 'last_seen_at'),
      ('device_tokens', 'retired_at'),
      ('device_tokens', 'retired_because')
    ) as c (table_name, column_name)
    inner join peerpause.adopted_tables as t on t.table_name = c.table_name
    where not exists (
      select from peerpause.adopted_columns as a
      where a.table_name = c.table_name and a.column_name = c.column_name
    )
  loop
    execute format('alter table public.%I drop column %I', v_column.table_name, v_column.column_name);
  end loop;
end
$$;

-- 4. The tables we made, those that lean on others first.
do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'device_tokens', 'certifications', 'organisation_admins', 'coordinator_roles', 'chapter_memberships',
    'peer_mentors', 'people', 'chapters', 'organisations'
  ] loop
    if not exists (select from peerpause.adopted_tables as t where t.table_name = v_table) then
      execute format('drop table public.%I', v_table);
    end if;
  end loop;
end
$$;

-- 5. Our own room.
drop table peerpause.global_admins;
drop table peerpause.adopted_grants;
drop table peerpause.adopted_columns;
drop table peerpause.adopted_tables;
drop schema peerpause;
