-- Says no to a move, in words and for programs: DETAIL is JSON with from, to and what is allowed instead.
create function peerpause.refuse_transition(p_from public.mentor_status, p_to public.mentor_status)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'invalid status transition: % -> %', p_from, p_to
    using
      errcode = 'P0001',
      detail = jsonb_build_object(
        'from', p_from,
        'to', p_to,
        'allowed', (
          select coalesce(jsonb_agg(s order by s), '[]')
          from unnest(enum_range(null::public.mentor_status)) as s
          where peerpause.is_valid_transition(p_from, s)
        )
      )::text,
      hint = case
        when p_from = p_to then 'The mentor is ' || p_from || ' already; load the status again.'
        when p_from = 'inactive' then 'A mentor who has left comes back as a new peer_mentors row.'
        else 'Reactivate the mentor first, or use rpc_deactivate_mentor, which takes both steps.'
      end;
end
$$;
