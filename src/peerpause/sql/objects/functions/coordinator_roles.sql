-- Lets somebody who has a part in the organisation coordinate one of its chapters, for its admins. Whether that changed anything.
-- 42501: not yours, or no such chapter. 22023: the person has no part in the organisation. Locks: the role's row.
create function peerpause.give_coordinator_role(p_chapter_id uuid, p_user_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id uuid;
begin
  select c.organisation_id into v_organisation_id from public.chapters as c where c.id = p_chapter_id;
  perform peerpause.authorise_organisation(v_organisation_id);
  if not exists (
    select from peerpause.people_of(v_organisation_id) as p where p.user_id = p_user_id
  ) then
    raise exception 'this person has no part in the organisation'
      using errcode = '22023', hint = 'Bring them in with an import first.';
  end if;
  insert into public.coordinator_roles as r (organisation_id, chapter_id, user_id, active)
  values (v_organisation_id, p_chapter_id, p_user_id, true)
  on conflict on constraint coordinator_roles_pkey do update set active = true where not r.active;
  if not found then
    return false;
  end if;
  insert into public.organisation_changes (organisation_id, kind, chapter_id, person_id, changed_by)
  values (v_organisation_id, 'coordinator_given', p_chapter_id, p_user_id, peerpause.caller());
  return true;
end
$$;

-- Takes the role of a chapter's coordinator back; every right that came with it ends at once. Whether that changed anything.
-- 42501: not yours, or no such chapter. Locks: the role's row.
create function peerpause.take_coordinator_role(p_chapter_id uuid, p_user_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id uuid;
begin
  select c.organisation_id into v_organisation_id from public.chapters as c where c.id = p_chapter_id;
  perform peerpause.authorise_organisation(v_organisation_id);
  update public.coordinator_roles as r
  set active = false
  where r.chapter_id = p_chapter_id and r.user_id = p_user_id and r.active;
  if not found then
    return false;
  end if;
  insert into public.organisation_changes (organisation_id, kind, chapter_id, person_id, changed_by)
  values (v_organisation_id, 'coordinator_taken', p_chapter_id, p_user_id, peerpause.caller());
  return true;
end
$$;
