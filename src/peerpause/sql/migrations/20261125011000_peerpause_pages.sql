-- What the pages need beside the functions that change a status: the organisation's own words, and the names of who acted and who helps.

-- 1. An organisation's word for several of its mentors, beside the one for one of them.
alter table public.organisations
  add column if not exists role_word_plural text;

comment on column public.organisations.role_word_plural is 'The same word for several of them; null means role_word as it is.';

-- 2. Its words for the reasons.
-- An organisation's own words for the reasons of a change, by language. Where it has none, ours stand.
create table public.reason_labels (
  organisation_id uuid not null references public.organisations (id),
  reason text not null,
  language text not null,
  label text not null,
  primary key (organisation_id, reason, language),
  constraint reason_labels_reason_is_known check (reason = any(peerpause.reason_codes())),
  constraint reason_labels_language_is_known check (language in ('nb', 'nn', 'en')),
  constraint reason_labels_are_short check (btrim(label) <> '' and char_length(label) <= 100)
);

comment on table public.reason_labels is 'An organisation''s own words for the reasons of a change. The codes stay; only what people read differs.';

alter table public.reason_labels enable row level security;
alter table public.reason_labels force row level security;
revoke all on table public.reason_labels from public, anon, authenticated, service_role;

-- Whoever has a part in an organisation reads its words; its admins choose them with the settings, by a function.
create policy "people read the words of the organisations they belong to"
on public.reason_labels for select to authenticated
using (
  organisation_id in (select o.id from public.organisations as o)
);

grant select on public.reason_labels to authenticated;
grant select, insert, update, delete on public.reason_labels to service_role;

-- 3. Names that pages show.
-- Whom a mentor can turn to: the active coordinators of the mentor's chapters, or the organisation's admins where there are none.
-- For those who may change the mentor, so that "ask your coordinator" is a name and an address.
-- PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.contacts_of_mentor(p_mentor_id uuid)
returns table (user_id uuid, display_name text, email text, is_admin boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select c.user_id, p.display_name, p.email, c.is_fallback
  from peerpause.coordinators_of(array[p_mentor_id]) as c
  inner join public.people as p on p.user_id = c.user_id
  order by p.display_name, c.user_id;
end
$$;

-- The names behind changed_by in a mentor's history, for those who may read that history: whoever changed the mentor's status.
-- A person who is no longer in the directory has no row. PT404, 42501: as peerpause.authorise. Takes no lock.
create function peerpause.actors_of_mentor(p_mentor_id uuid)
returns table (user_id uuid, display_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return query
  select p.user_id, p.display_name
  from public.people as p
  where p.user_id in (
    select h.changed_by
    from public.peer_mentor_status_history as h
    where h.mentor_id = p_mentor_id
  );
end
$$;

-- PostgreSQL opens new functions to everyone.
revoke all on function
peerpause.contacts_of_mentor(uuid),
peerpause.actors_of_mentor(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.contacts_of_mentor(uuid),
peerpause.actors_of_mentor(uuid)
to authenticated, service_role;
