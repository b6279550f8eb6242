-- Refuses (42501) whoever is neither a coordinator of the chapter, nor an admin of its organisation, nor the service role.
-- A chapter that does not exist is refused in the same words: nobody learns which there are.
create function peerpause.authorise_chapter(p_chapter_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    p_chapter_id is null
    or not (
      peerpause.caller_is_service()
      or p_chapter_id = any(peerpause.my_chapters())
      or exists (
        select from public.chapters as c
        where c.id = p_chapter_id and c.organisation_id = any(peerpause.my_organisations())
      )
    )
  then
    raise exception 'this chapter is not yours'
      using errcode = '42501', hint = 'Ask an admin of the organisation to make you its coordinator.';
  end if;
end
$$;
