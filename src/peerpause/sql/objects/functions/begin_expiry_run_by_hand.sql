-- Opens a run of the certificate check by hand; whoever opened it goes on with expire_batch, as the system. Null: another run is at it.
-- 42501: as peerpause.chapters_to_check. 22023: a chapter that does not exist. Locks as peerpause.begin_expiry_run.
create function peerpause.begin_expiry_run_by_hand(p_chapter_ids uuid[])
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.begin_expiry_run(peerpause.chapters_to_check(p_chapter_ids));
end
$$;
