-- What an organisation's public rosters show at this moment, as one digest for each chapter and mentor. Asks the roster itself, so
-- that a change is told of exactly when visitors can see it.
create function peerpause.roster_digests(p_organisation_id uuid)
returns table (organisation_id uuid, chapter_id uuid, mentor_id uuid, digest bytea)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    c.organisation_id, c.id, r.mentor_id,
    sha256(convert_to(jsonb_build_array(r.display_name, r.languages, r.presentation, r.contact)::text, 'UTF8'))
  from public.chapters as c
  cross join lateral peerpause.public_chapter_roster(c.id) as r
  where c.organisation_id = p_organisation_id;
end
$$;
