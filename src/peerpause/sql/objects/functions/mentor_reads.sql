-- Notes that the caller reads something of a mentor: history, note or export; the first time in each hour, and never for what mentors
-- read of themselves. The caller of this function has authorised.
create function peerpause.record_read(p_organisation_id uuid, p_mentor_id uuid, p_what text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into peerpause.mentor_reads (organisation_id, mentor_id, hour, reader_id, what)
  select
    p.organisation_id, p.id, date_trunc('hour', clock_timestamp(), 'UTC'),
    coalesce(peerpause.caller(), '00000000-0000-0000-0000-000000000000'), p_what
  from public.peer_mentors as p
  where p.organisation_id = p_organisation_id and p.id = p_mentor_id and p.user_id is distinct from peerpause.caller()
  on conflict (mentor_id, hour, reader_id, what) do nothing;
end
$$;

-- Who read a mentor's notes or history, newest first, at most p_limit (1 to 500) from before p_before: for the mentor and for admins.
-- reader_name is null for the operator and for somebody who is no longer in the directory. 42501: neither the mentor nor an admin.
-- PT404: no such mentor. 22023: a limit out of range.
create function peerpause.list_mentor_reads(p_mentor_id uuid, p_limit integer, p_before timestamptz)
returns table (reader_id uuid, reader_name text, what text, read_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
begin
  perform peerpause.require_limit(p_limit);
  if
    not peerpause.caller_is_service()
    and not v_organisation_id = any(peerpause.my_organisations())
    and not p_mentor_id = any(peerpause.my_mentors())
  then
    raise exception 'who read this is for the mentor and for admins'
      using errcode = '42501', hint = 'Ask the mentor, or an admin of the organisation.';
  end if;
  return query
  select nullif(r.reader_id, '00000000-0000-0000-0000-000000000000'), u.display_name, r.what, r.read_at
  from peerpause.mentor_reads as r
  left join public.people as u on u.user_id = r.reader_id
  where r.mentor_id = p_mentor_id and r.read_at < coalesce(p_before, 'infinity')
  order by r.read_at desc
  limit p_limit;
end
$$;

create function public.list_mentor_reads(p_mentor_id uuid, p_limit integer default 50, p_before timestamptz default null)
returns table (reader_id uuid, reader_name text, what text, read_at timestamptz)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select r.* from peerpause.list_mentor_reads(p_mentor_id, p_limit, p_before) as r;
end
$$;
