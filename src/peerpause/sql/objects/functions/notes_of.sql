-- The notes of a mentor, by the id of the change or planned pause they belong to, for those who answer for the mentor; nothing for
-- anybody else. Nobody reads the columns themselves, for every reading of somebody else's notes is recorded here: p_what is history,
-- or note for the latest change alone.
--
-- Where nothing can be written (a replica, or PostgREST, which runs stable functions read-only) only the mentor gets notes. Readings by
-- the service role are not recorded: it is no person. Takes no lock that anybody waits for.
create function peerpause.notes_of(p_mentor_id uuid, p_what text default 'history')
returns table (entry_id uuid, note text)
language plpgsql
security definer
rows 5
set search_path = pg_catalog, pg_temp
as $$
declare
  v_caller constant uuid := auth.uid();
  v_latest_id uuid;
  v_latest_note text;
  v_author uuid;
  v_mentor record;
begin
  if p_what = 'note' then
    -- On the way of every change, so whoever wrote the note, or finds none, is let through at once.
    select h.id, h.note, h.changed_by
    into v_latest_id, v_latest_note, v_author
    from public.peer_mentor_status_history as h
    where h.mentor_id = p_mentor_id
    order by h.changed_at desc
    limit 1;
    if v_latest_note is null then
      return;
    end if;
  end if;
  select p.organisation_id, p.user_id into v_mentor from public.peer_mentors as p where p.id = p_mentor_id;
  if not peerpause.caller_is_service() and v_mentor.user_id is distinct from v_caller then
    if
      not v_mentor.organisation_id = any(peerpause.my_organisations())
      and not exists (
        select from public.chapter_memberships as m
        where m.mentor_id = p_mentor_id and m.chapter_id = any(peerpause.my_chapters())
      )
    then
      return;
    end if;
    if p_what <> 'note' or v_author is distinct from v_caller then
      if current_setting('transaction_read_only')::boolean then
        return;
      end if;
      perform peerpause.record_read(v_mentor.organisation_id, p_mentor_id, p_what);
    end if;
  end if;
  if p_what = 'note' then
    return query select v_latest_id, v_latest_note;
    return;
  end if;
  return query
  select h.id, h.note
  from public.peer_mentor_status_history as h
  where h.mentor_id = p_mentor_id and h.note is not null
  union all
  select s.id, s.note
  from public.scheduled_status_changes as s
  where s.organisation_id = v_mentor.organisation_id and s.mentor_id = p_mentor_id and s.note is not null;
end
$$;

-- The notes of a mentor for Supabase's clients, by the id of the change or planned pause: empty for who does not answer for the mentor.
create function public.read_mentor_notes(p_mentor_id uuid)
returns table (entry_id uuid, note text)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select n.entry_id, n.note from peerpause.notes_of(p_mentor_id) as n;
end
$$;
