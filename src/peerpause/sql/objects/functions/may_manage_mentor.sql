-- Whether the signed-in person may read and change this mentor: the mentor, a coordinator of one of the mentor's chapters, or
-- an admin of the organisation. One statement, index look-ups only.
create function peerpause.may_manage_mentor(p_mentor_id uuid, p_mentor_user_id uuid, p_organisation_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(
      p_mentor_user_id = (select auth.uid())
      or exists (
        select from public.chapter_memberships as m
        inner join public.coordinator_roles as r on r.chapter_id = m.chapter_id
        where m.mentor_id = p_mentor_id and r.user_id = (select auth.uid()) and r.active
      )
      or exists (
        select from public.organisation_admins as a
        where a.organisation_id = p_organisation_id and a.user_id = (select auth.uid()) and a.active
      )
      or exists (select from peerpause.global_admins as g where g.user_id = (select auth.uid())),
      false
    )
  );
end
$$;
