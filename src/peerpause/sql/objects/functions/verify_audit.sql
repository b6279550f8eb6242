-- Whatever in one organisation does not agree with its audit chain, each with a code and what it is about; nothing where all agrees.
--
--   altered           the row is not what was chained, or the link before it was rewritten (hashes lead from one to the next)
--   missing           a chained row is gone
--   link_missing      a link is gone: places do not follow each other
--   truncated         the end of the chain is not where its head says
--   inserted          a row that is in no chain, and does not wait for it: it came past the triggers
--   backdated         a row that came an hour or more after a later change of the same mentor was chained
--   trail_broken      a change does not begin where the one before it ended
--   status_differs    a mentor's status is not the one the history leads to
create function peerpause.audit_findings(p_organisation_id uuid)
returns table (code text, place bigint, kind text, entry_id uuid, mentor_id uuid)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  with links as materialized (
    select
      c as link, c.place, c.kind, c.entry_id, c.hash, c.person_salt, c.person_digest, c.note_salt, c.note_digest,
      lag(c.hash, 1, decode(repeat('00', 32), 'hex')) over w as hash_before,
      c.place - lag(c.place, 1, 0::bigint) over w <> 1 as follows_a_gap
    from peerpause.audit_chain as c
    where c.organisation_id = p_organisation_id
    window w as (order by c.place)
  ),

  judged as (
    select
      l.place, l.kind, l.entry_id, r.mentor_id, l.follows_a_gap,
      l.kind in ('history', 'renewal', 'override') and r.entry_id is null as is_gone,
      l.hash <> peerpause.audit_hash(l.hash_before, l.link, r.facts)
      or case
        when r.entry_id is null then false
        when l.person_digest is null then r.person_id is not null
        when l.person_salt is not null
          then peerpause.audit_digest(l.person_salt, r.person_id::text) is distinct from l.person_digest
        else not exists (
          select from peerpause.audit_chain as p
          where p.entry_id = l.entry_id and p.kind = 'person_cleared' and p.pseudonym = r.person_id
        )
      end
      or case
        when r.entry_id is null then false
        when l.note_digest is null then r.note is not null
        when l.note_salt is not null then peerpause.audit_digest(l.note_salt, r.note) is distinct from l.note_digest
        else
          coalesce(r.note, peerpause.cleared_text()) <> peerpause.cleared_text()
          or not exists (select from peerpause.audit_chain as n where n.entry_id = l.entry_id and n.kind = 'note_cleared')
      end as is_altered
    from links as l
    left join peerpause.audit_rows as r
      on r.organisation_id = p_organisation_id and r.entry_id = l.entry_id and r.kind = l.kind
  )

  select f.code, j.place, j.kind, j.entry_id, j.mentor_id
  from judged as j
  cross join lateral (
    values ('link_missing', j.follows_a_gap), ('missing', j.is_gone), ('altered', j.is_altered and not j.is_gone and not j.follows_a_gap)
  ) as f (code, holds)
  where f.holds;

  return query
  select 'truncated', a.place, null::text, null::uuid, null::uuid
  from peerpause.audit_heads as a
  left join lateral (
    select c.place, c.hash
    from peerpause.audit_chain as c
    where c.organisation_id = a.organisation_id
    order by c.place desc
    limit 1
  ) as l on true
  where
    a.organisation_id = p_organisation_id
    and (a.place, a.hash) is distinct from (coalesce(l.place, 0), coalesce(l.hash, decode(repeat('00', 32), 'hex')));

  return query
  select 'inserted', null::bigint, r.kind, r.entry_id, r.mentor_id
  from peerpause.audit_rows as r
  where
    r.organisation_id = p_organisation_id
    and r.is_due
    and not exists (select from peerpause.audit_chain as c where c.entry_id = r.entry_id and c.kind = r.kind)
    and not exists (
      select from peerpause.audit_waiting as w where w.organisation_id = r.organisation_id and w.entry_id = r.entry_id
    );

  return query
  select 'backdated', s.place, 'history', s.entry_id, s.mentor_id
  from (
    select
      c.place, c.entry_id, h.mentor_id, h.changed_at,
      max(h.changed_at) over (
        partition by h.mentor_id order by c.chained_at range between unbounded preceding and interval '1 hour' preceding
      ) as seen_before
    from peerpause.audit_chain as c
    inner join public.peer_mentor_status_history as h on h.organisation_id = c.organisation_id and h.id = c.entry_id
    where c.organisation_id = p_organisation_id and c.kind = 'history' and not c.adopted
  ) as s
  where s.seen_before > s.changed_at;

  return query
  select 'trail_broken', null::bigint, 'history', t.id, t.mentor_id
  from (
    select h.id, h.mentor_id, h.previous_status, lag(h.new_status) over (partition by h.mentor_id order by h.changed_at) as reached
    from public.peer_mentor_status_history as h
    where h.organisation_id = p_organisation_id
  ) as t
  where t.previous_status is distinct from t.reached and t.previous_status is not null;

  return query
  select 'status_differs', null::bigint, null::text, null::uuid, p.id
  from public.peer_mentors as p
  inner join lateral (
    select h.new_status
    from public.peer_mentor_status_history as h
    where h.mentor_id = p.id
    order by h.changed_at desc
    limit 1
  ) as n on true
  where p.organisation_id = p_organisation_id and n.new_status <> p.status;
end
$$;

-- How the audit of one organisation stands: {organisation_id, links, waiting, adopted, place, hash, findings}. place and hash are the
-- end of the chain, to be kept elsewhere; waiting are changes nobody has been told of yet, which the chain takes in when they are told.
-- findings holds the first p_limit of peerpause.audit_findings. 42501: not an admin of the organisation.
create function peerpause.verify_audit(p_organisation_id uuid, p_limit integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_answer jsonb;
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  select jsonb_build_object(
    'organisation_id', p_organisation_id,
    'links', (select count(*) from peerpause.audit_chain as c where c.organisation_id = p_organisation_id),
    'adopted', (select count(*) from peerpause.audit_chain as c where c.organisation_id = p_organisation_id and c.adopted),
    'waiting',
    (
      select count(*) from public.peer_mentor_status_history as h
      where
        h.organisation_id = p_organisation_id
        and h.told_at is null
        and not exists (select from peerpause.audit_chain as c where c.entry_id = h.id and c.kind = 'history')
    )
    + (select count(*) from peerpause.audit_waiting as w where w.organisation_id = p_organisation_id),
    'place', coalesce((select a.place from peerpause.audit_heads as a where a.organisation_id = p_organisation_id), 0),
    'hash', (select encode(a.hash, 'hex') from peerpause.audit_heads as a where a.organisation_id = p_organisation_id),
    'findings',
    coalesce(
      (
        select jsonb_agg(jsonb_strip_nulls(to_jsonb(f)))
        from (select f.* from peerpause.audit_findings(p_organisation_id) as f limit p_limit) as f
      ),
      '[]'
    )
  )
  into v_answer;
  return v_answer;
end
$$;

create function public.verify_audit(p_organisation_id uuid, p_limit integer default 1000)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.verify_audit(p_organisation_id, p_limit);
end
$$;
