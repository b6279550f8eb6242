-- The public roster: what mentors show of themselves, whom the organisation's website is told of its changes, and the door through
-- which an organisation's own system reports renewed certificates.

-- 1. Endpoints can change their secret without missing a message, and be taken out of service.
alter table public.webhook_endpoints
  add column previous_secret text,
  add column previous_secret_until timestamptz,
  add column disabled_at timestamptz,
  add column disabled_because text;

alter table public.webhook_endpoints
  add constraint webhook_endpoints_disabled_for_a_reason check (
    disabled_because in ('by_admin', 'gone') and (disabled_because is null) = (disabled_at is null)
  ) not valid;
-- The table is new with us and holds a handful of rows.
-- squawk-ignore constraint-missing-not-valid
alter table public.webhook_endpoints validate constraint webhook_endpoints_disabled_for_a_reason;

comment on column public.webhook_endpoints.previous_secret_until is 'Until when messages are signed with the secret before this one too.';
comment on column public.webhook_endpoints.disabled_because is 'by_admin, or gone: the website answered 410.';

create unique index webhook_endpoints_in_organisation on public.webhook_endpoints (organisation_id, id);

grant select (disabled_at, disabled_because) on public.webhook_endpoints to authenticated;

-- 2. What webhooks have been told, and what must still reach them.
-- The organisations whose public rosters are watched for their webhooks, and when each was last looked at.
create table peerpause.roster_watches (
  organisation_id uuid primary key references public.organisations (id),
  looked_at timestamptz not null default clock_timestamp()
);

comment on table peerpause.roster_watches is 'Whoever looks locks the row, so that each change is found once.';

alter table peerpause.roster_watches enable row level security;
alter table peerpause.roster_watches force row level security;

-- What webhooks have been told so far: the digest of each listed mentor in each chapter of a watched organisation.
create table peerpause.roster_published (
  organisation_id uuid not null references peerpause.roster_watches (organisation_id),
  chapter_id uuid not null,
  mentor_id uuid not null,
  digest bytea not null,
  primary key (organisation_id, chapter_id, mentor_id)
);

comment on table peerpause.roster_published is
  'Compared with the roster itself to find changes, whatever caused them. No foreign keys: a chapter that was deleted is a change too.';
comment on column peerpause.roster_published.digest is 'SHA-256 of what visitors see, so that nothing personal is kept twice.';

alter table peerpause.roster_published enable row level security;
alter table peerpause.roster_published force row level security;

-- One row for every (change of a public roster, endpoint): what must reach which website, and how that went.
create table public.webhook_deliveries (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  endpoint_id uuid not null,
  event_id uuid not null,
  chapter_id uuid not null,
  mentor_id uuid not null,
  change text not null,
  found_at timestamptz not null default clock_timestamp(),
  state text not null default 'pending',
  error_code text,
  attempts integer not null default 0,
  not_before timestamptz not null default clock_timestamp(),
  first_tried_at timestamptz,
  tried_at timestamptz,
  settled_at timestamptz,
  primary key (organisation_id, id),
  constraint webhook_deliveries_endpoint foreign key (organisation_id, endpoint_id)
    references public.webhook_endpoints (organisation_id, id),
  constraint webhook_deliveries_change_is_known check (change in ('listed', 'unlisted', 'edited')),
  constraint webhook_deliveries_state_is_known check (state in ('pending', 'sent', 'failed', 'expired')),
  constraint webhook_deliveries_are_settled_with_a_time check ((state = 'pending') = (settled_at is null))
);

comment on table public.webhook_deliveries is 'The delivery log of webhooks, and the work list of their sender. Never holds a name or a secret.';
comment on column public.webhook_deliveries.event_id is 'The webhook-id: the same for every endpoint and every try, so that a receiver can tell repetitions.';
comment on column public.webhook_deliveries.state is
  'sent: the website took it; failed: will never work; expired: given up after a day of tries.';
comment on column public.webhook_deliveries.not_before is
  'When it is due. A sender that takes it moves this on, and if the sender dies it is due again.';

create unique index webhook_deliveries_once on public.webhook_deliveries (event_id, endpoint_id);
create index webhook_deliveries_due on public.webhook_deliveries (endpoint_id, not_before) where state = 'pending';
create index webhook_deliveries_endpoint_idx on public.webhook_deliveries (organisation_id, endpoint_id, found_at desc);
create index webhook_deliveries_age on public.webhook_deliveries (settled_at) where state <> 'pending';

alter table public.webhook_deliveries enable row level security;
alter table public.webhook_deliveries force row level security;
revoke all on table public.webhook_deliveries from public, anon, authenticated, service_role;

-- The secret with which an organisation's own system signs certificate updates to us.
create table peerpause.inbound_secrets (
  organisation_id uuid primary key references public.organisations (id),
  secret text not null,
  previous_secret text,
  previous_secret_until timestamptz,
  created_by uuid,
  created_at timestamptz not null default now()
);

comment on table peerpause.inbound_secrets is 'For the service role alone; admins set a new one without ever reading the old.';
comment on column peerpause.inbound_secrets.previous_secret_until is 'Until when the secret before this one is taken too.';

alter table peerpause.inbound_secrets enable row level security;
alter table peerpause.inbound_secrets force row level security;

-- Every signed message taken from an organisation's own system, so that a repetition changes nothing.
create table peerpause.inbound_messages (
  organisation_id uuid not null references public.organisations (id),
  message_id text not null,
  fingerprint bytea not null,
  updates integer not null,
  received_at timestamptz not null default now(),
  primary key (organisation_id, message_id),
  constraint inbound_messages_id_is_short check (char_length(message_id) between 1 and 255)
);

comment on table peerpause.inbound_messages is 'Kept for good: a repetition may come late. Holds no contents.';
comment on column peerpause.inbound_messages.fingerprint is 'SHA-256 of the updates, to tell a repetition from another message.';

alter table peerpause.inbound_messages enable row level security;
alter table peerpause.inbound_messages force row level security;

-- 3. The functions. First the roster itself, which says what it said, but in a fraction of the time.
-- The public roster of a chapter: who may be listed at this very moment.
--
-- Computed when it is read: active, listed by their own wish, and certified today where the organisation requires it. A job
-- that never ran cannot leave a lapsed mentor here. An unknown chapter has an empty roster. Open to everyone (anon).
--
-- Says of certificates what is_certified says. Written so that each mentor and certificate is looked up by its index (limit, and a
-- count, keep the planner from joining whole tables): reading a chapter costs the same however large the organisation is.
create or replace function peerpause.public_chapter_roster(p_chapter_id uuid)
returns table (mentor_id uuid, display_name text, languages text[], presentation text, contact text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kinds text[];
  v_needed integer;
  v_today date;
begin
  select
    o.required_certification_kinds,
    (select count(*) from (select distinct k.kind from unnest(o.required_certification_kinds) as k (kind)) as d),
    peerpause.today(o.time_zone)
  into v_kinds, v_needed, v_today
  from public.chapters as c
  inner join public.organisations as o on o.id = c.organisation_id
  where c.id = p_chapter_id;
  return query
  select p.id, p.display_name, p.languages, p.presentation, p.public_contact
  from public.chapter_memberships as m
  cross join lateral (
    select n.id, n.display_name, n.languages, n.presentation, n.public_contact
    from public.peer_mentors as n
    where n.id = m.mentor_id and n.status = 'active' and n.listed
    limit 1
  ) as p
  where
    m.chapter_id = p_chapter_id
    and (
      v_needed = 0
      or v_needed = (
        select count(distinct c.kind)
        from public.certifications as c
        where
          c.mentor_id = m.mentor_id
          and c.kind = any(v_kinds)
          and c.issued_on <= v_today
          and coalesce(c.expires_on, 'infinity'::date) >= v_today
      )
    )
  order by p.display_name, p.id;
end
$$;

-- Replaces what the public roster shows of a mentor, all four facts at once, for the mentor, their coordinators and admins.
--
-- p_languages are BCP 47 tags (nb, en, se), ten at most; the presentation has 600 characters at most; the contact is one e-mail
-- address, phone number or https address. Empty text takes a fact away. Answers the profile as it is kept. Refuses: 22023 a value
-- the roster cannot show, 42501 not yours, PT404 no such mentor. Locks: the mentor's row.
create function peerpause.update_public_profile(
  p_mentor_id uuid,
  p_listed boolean,
  p_languages text[],
  p_presentation text,
  p_public_contact text
)
returns table (mentor_id uuid, listed boolean, languages text[], presentation text, public_contact text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_presentation constant text := nullif(btrim(replace(p_presentation, e'\r\n', e'\n'), e' \n\t'), '');
  v_contact constant text := nullif(btrim(p_public_contact), '');
begin
  perform peerpause.authorise(p_mentor_id);
  if p_listed is null then
    raise exception 'it is not said whether the mentor wants to be listed'
      using errcode = '22023', hint = 'Pass p_listed as true or false.';
  end if;
  perform peerpause.require_languages(p_languages);
  if char_length(v_presentation) > 600 then
    raise exception 'the presentation is longer than 600 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if peerpause.has_hidden_characters(replace(v_presentation, e'\n', '')) then
    raise exception 'the presentation holds characters that cannot be seen'
      using errcode = '22023', hint = 'Write plain text; line breaks are fine.';
  end if;
  perform peerpause.require_public_contact(v_contact);
  return query
  update public.peer_mentors as p
  set listed = p_listed, languages = p_languages, presentation = v_presentation, public_contact = v_contact
  where p.id = p_mentor_id
  returning p.id, p.listed, p.languages, p.presentation, p.public_contact;
end
$$;

create function public.update_public_profile(
  p_mentor_id uuid,
  p_listed boolean,
  p_languages text[],
  p_presentation text,
  p_public_contact text
)
returns table (mentor_id uuid, listed boolean, languages text[], presentation text, public_contact text)
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select u.*
  from peerpause.update_public_profile(p_mentor_id, p_listed, p_languages, p_presentation, p_public_contact) as u;
end
$$;

-- Refuses (22023) languages that are not up to ten different BCP 47 tags.
create function peerpause.require_languages(p_languages text[])
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    p_languages is null
    or coalesce(array_ndims(p_languages), 1) <> 1
    or cardinality(p_languages) > 10
    or (select count(distinct lower(l.tag)) from unnest(p_languages) as l (tag)) <> cardinality(p_languages)
    or exists (
      select from unnest(p_languages) as l (tag) where l.tag !~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'
    )
  then
    raise exception 'the languages are not a list of language tags'
      using errcode = '22023', hint = 'Pass at most ten different tags, for example {nb,en,se}.';
  end if;
end
$$;

-- Refuses (22023) a contact that is no single e-mail address, phone number or https address. Null is no contact.
create function peerpause.require_public_contact(p_contact text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    char_length(p_contact) > 200
    or peerpause.has_hidden_characters(p_contact)
    or not (
      p_contact ~* '^[^\s@<>"''/:\\]+@[a-z0-9-]+(\.[a-z0-9-]+)+$'
      or (p_contact ~ '^\+?[0-9(][0-9 ()-]{3,}$' and char_length(regexp_replace(p_contact, '[^0-9]', '', 'g')) between 5 and 15)
      or p_contact ~* '^https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[^\s<>"'']*)?$'
    )
  then
    raise exception 'the contact is neither an e-mail address, nor a phone number, nor an https address'
      using errcode = '22023', hint = 'Give one of them, at most 200 characters, or leave it empty.';
  end if;
end
$$;

-- Whether a text holds control characters, or such as turn the direction of writing or cannot be seen: with them a page can be
-- made to show something else than it says.
create function peerpause.has_hidden_characters(p_text text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(p_text ~ '[\u0001-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]', false);
end
$$;

-- What the public page of a chapter says above its roster, and nothing else of the chapter: its name, the organisation's own word
-- for a mentor (null: the usual one), the organisation's language, and the seconds until its day ends: what is read now may change
-- then without anybody doing anything, because certificates run out. No row for an unknown chapter. Open to everyone (anon).
create function peerpause.public_chapter(p_chapter_id uuid)
returns table (chapter_name text, role_word text, language text, day_ends_in integer)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    c.name,
    nullif(btrim(o.role_word), ''),
    o.language,
    floor(extract(
      epoch from ((peerpause.today(o.time_zone) + 1)::timestamp at time zone o.time_zone) - peerpause.clock()
    ))::integer
  from public.chapters as c
  inner join public.organisations as o on o.id = c.organisation_id
  where c.id = p_chapter_id;
end
$$;

create function public.public_chapter(p_chapter_id uuid)
returns table (chapter_name text, role_word text, language text, day_ends_in integer)
language plpgsql
stable
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select c.* from peerpause.public_chapter(p_chapter_id) as c;
end
$$;

-- Refuses (42501) whoever is neither an admin of the organisation nor the service role. An organisation that does not exist is
-- refused in the same words.
create function peerpause.authorise_organisation(p_organisation_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    not exists (select from public.organisations as o where o.id = p_organisation_id)
    or not (peerpause.caller_is_service() or p_organisation_id = any(peerpause.my_organisations()))
  then
    raise exception 'this organisation is not yours'
      using errcode = '42501', hint = 'Only an admin of the organisation may do this.';
  end if;
end
$$;

-- A fresh secret in the form the Standard Webhooks libraries read: whsec_ and 32 random bytes in base64.
create function peerpause.new_webhook_secret()
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Each uuid brings 122 bits from the server's strong random source; the hash makes 256 even bits of three of them.
  return 'whsec_' || encode(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'
  );
end
$$;

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

-- Adds an address that is told of every change to the organisation's public rosters, for its admins.
--
-- Answers the endpoint with its secret: the only time the secret is shown. The first endpoint of an organisation also notes
-- what the rosters show now, so that changes are told from here on. Refuses: 22023 an address that cannot be a public website's,
-- or an eleventh endpoint; 42501 not yours. Locks: the organisation's endpoints, so that two at once count each other.
create function peerpause.create_webhook_endpoint(p_organisation_id uuid, p_url text)
returns table (endpoint_id uuid, url text, secret text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := peerpause.new_webhook_secret();
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  perform peerpause.require_webhook_url(p_url);
  insert into peerpause.roster_watches (organisation_id) values (p_organisation_id)
  on conflict on constraint roster_watches_pkey do nothing;
  if found then
    insert into peerpause.roster_published (organisation_id, chapter_id, mentor_id, digest)
    select d.organisation_id, d.chapter_id, d.mentor_id, d.digest
    from peerpause.roster_digests(p_organisation_id) as d;
  end if;
  perform from peerpause.roster_watches as w where w.organisation_id = p_organisation_id for update;
  if (select count(*) from public.webhook_endpoints as e where e.organisation_id = p_organisation_id and e.active) >= 10 then
    raise exception 'an organisation has at most ten webhook endpoints' using errcode = '22023', hint = 'Disable one first.';
  end if;
  return query
  insert into public.webhook_endpoints as e (organisation_id, url, secret, created_by)
  values (p_organisation_id, p_url, v_secret, peerpause.caller())
  returning e.id, e.url, e.secret;
end
$$;

create function public.create_webhook_endpoint(p_organisation_id uuid, p_url text)
returns table (endpoint_id uuid, url text, secret text)
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select c.* from peerpause.create_webhook_endpoint(p_organisation_id, p_url) as c;
end
$$;

-- Refuses (22023) what cannot be the https address of a public website: an address in numbers, a name without a dot or from a
-- local zone, a user name in it. Where the name leads is looked at each time something is sent there.
create function peerpause.require_webhook_url(p_url text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_host constant text := lower(substring(p_url from '^https://([^/:]+)'));
begin
  if
    p_url is null
    or char_length(p_url) > 2000
    or p_url !~ '^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[!-~]*)?$'
    -- The last label begins with a letter: no address in numbers, however it is written.
    or v_host !~ '^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$'
    or v_host ~ '\.(localhost|localdomain|local|internal|intranet|private|corp|home|lan|arpa|onion|invalid)$'
  then
    raise exception 'this is not the https address of a public website'
      using errcode = '22023', hint = 'Give an address like https://www.example.org/hooks/peerpause.';
  end if;
end
$$;

-- The organisation's endpoints with how deliveries to them go, for its admins. Never the secret. 42501: not yours.
create function peerpause.list_webhook_endpoints(p_organisation_id uuid)
returns table (
  endpoint_id uuid,
  url text,
  active boolean,
  created_at timestamptz,
  disabled_at timestamptz,
  disabled_because text,
  last_sent_at timestamptz,
  last_failed_at timestamptz,
  last_error text,
  waiting bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  return query
  select
    e.id, e.url, e.active, e.created_at, e.disabled_at, e.disabled_because,
    d.last_sent_at, f.tried_at, f.error_code, d.waiting
  from public.webhook_endpoints as e
  left join lateral (
    select
      max(w.settled_at) filter (where w.state = 'sent') as last_sent_at,
      count(*) filter (where w.state = 'pending') as waiting
    from public.webhook_deliveries as w
    where w.endpoint_id = e.id
  ) as d on true
  left join lateral (
    select w.tried_at, w.error_code
    from public.webhook_deliveries as w
    where w.endpoint_id = e.id and w.error_code is not null
    order by w.tried_at desc nulls last
    limit 1
  ) as f on true
  where e.organisation_id = p_organisation_id
  order by e.created_at, e.id;
end
$$;

create function public.list_webhook_endpoints(p_organisation_id uuid)
returns table (
  endpoint_id uuid,
  url text,
  active boolean,
  created_at timestamptz,
  disabled_at timestamptz,
  disabled_because text,
  last_sent_at timestamptz,
  last_failed_at timestamptz,
  last_error text,
  waiting bigint
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select l.* from peerpause.list_webhook_endpoints(p_organisation_id) as l;
end
$$;

-- Gives an endpoint a new secret, for admins. Answers it: the only time it is shown. For a day messages are signed with the old
-- one too, so that the website can change over without missing any. 42501: no such endpoint, or not yours.
create function peerpause.rotate_webhook_secret(p_endpoint_id uuid)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := peerpause.new_webhook_secret();
begin
  perform peerpause.authorise_organisation(
    (select e.organisation_id from public.webhook_endpoints as e where e.id = p_endpoint_id)
  );
  update public.webhook_endpoints as e
  set previous_secret = e.secret, previous_secret_until = now() + interval '1 day', secret = v_secret
  where e.id = p_endpoint_id;
  return v_secret;
end
$$;

create function public.rotate_webhook_secret(p_endpoint_id uuid)
returns text
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.rotate_webhook_secret(p_endpoint_id);
end
$$;

-- Stops sending to an endpoint, for admins; what was waiting for it is given up. Answers whether it was active until now.
-- 42501: no such endpoint, or not yours.
create function peerpause.disable_webhook_endpoint(p_endpoint_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(
    (select e.organisation_id from public.webhook_endpoints as e where e.id = p_endpoint_id)
  );
  return peerpause.retire_webhook_endpoint(p_endpoint_id, 'by_admin');
end
$$;

create function public.disable_webhook_endpoint(p_endpoint_id uuid)
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.disable_webhook_endpoint(p_endpoint_id);
end
$$;

-- Takes an endpoint out of service for a reason (by_admin, gone) and gives up what was waiting for it. Locks: the endpoint, then
-- its waiting deliveries.
create function peerpause.retire_webhook_endpoint(p_endpoint_id uuid, p_because text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.webhook_endpoints as e
  set active = false, disabled_at = clock_timestamp(), disabled_because = p_because
  where e.id = p_endpoint_id and e.active;
  if not found then
    return false;
  end if;
  update public.webhook_deliveries as d
  set state = 'failed', error_code = 'endpoint_disabled', settled_at = clock_timestamp()
  where d.endpoint_id = p_endpoint_id and d.state = 'pending';
  return true;
end
$$;

-- Gives the organisation a new secret for signing its own certificate updates to us, for admins; the first one opens that door.
-- Answers it: the only time it is shown. The one before is taken for another day. 42501: not yours.
create function peerpause.rotate_inbound_secret(p_organisation_id uuid)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := peerpause.new_webhook_secret();
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  insert into peerpause.inbound_secrets as s (organisation_id, secret, created_by)
  values (p_organisation_id, v_secret, peerpause.caller())
  on conflict on constraint inbound_secrets_pkey do update
  set
    previous_secret = s.secret,
    previous_secret_until = now() + interval '1 day',
    secret = excluded.secret,
    created_by = excluded.created_by,
    created_at = now();
  return v_secret;
end
$$;

create function public.rotate_inbound_secret(p_organisation_id uuid)
returns text
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.rotate_inbound_secret(p_organisation_id);
end
$$;

-- Closes the door for certificate updates again, for admins. Answers whether it was open. 42501: not yours.
create function peerpause.revoke_inbound_secret(p_organisation_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  delete from peerpause.inbound_secrets as s where s.organisation_id = p_organisation_id;
  return found;
end
$$;

create function public.revoke_inbound_secret(p_organisation_id uuid)
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.revoke_inbound_secret(p_organisation_id);
end
$$;

-- Records the renewals of one signed message from an organisation's own system, all of them or none. For the service role, after
-- it has checked the signature.
--
-- p_updates: [{mentor, kind, issued_on, expires_on, note}], mentor being the organisation's own id for the mentor. Answers how many
-- were recorded, and whether the message had been taken before: then nothing is recorded again. Refuses: 22023 an unknown mentor
-- (HINT names the places in the list), or a message id used before for another message; and whatever record_renewal refuses.
-- Locks: the message's row, so that a repetition waits for the first; then what record_renewal locks, mentors in order of id.
create function peerpause.receive_certificate_updates(
  p_organisation_id uuid,
  p_message_id text,
  p_updates jsonb,
  out o_recorded integer,
  out o_repeated boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fingerprint constant bytea := sha256(convert_to(p_updates::text, 'UTF8'));
  v_first peerpause.inbound_messages;
  v_unknown text;
  v_update record;
begin
  o_repeated := false;
  o_recorded := jsonb_array_length(p_updates);
  insert into peerpause.inbound_messages (organisation_id, message_id, fingerprint, updates)
  values (p_organisation_id, p_message_id, v_fingerprint, o_recorded)
  on conflict (organisation_id, message_id) do nothing;
  if not found then
    select * into v_first
    from peerpause.inbound_messages as m
    where m.organisation_id = p_organisation_id and m.message_id = p_message_id;
    if v_first.fingerprint <> v_fingerprint then
      raise exception 'this message id was used for another message'
        using errcode = '22023', hint = 'Use a new webhook-id for a new message, and the same one to repeat it.';
    end if;
    o_repeated := true;
    return;
  end if;

  select string_agg(u.place::text, ', ' order by u.place)
  into v_unknown
  from jsonb_array_elements(p_updates) with ordinality as u (one, place)
  where not exists (
    select from public.peer_mentors as p
    where p.organisation_id = p_organisation_id and p.external_id = u.one ->> 'mentor'
  );
  if v_unknown is not null then
    raise exception 'the message names mentors that are not known here; nothing was recorded'
      using errcode = '22023', hint = 'Check the mentors at these places of the list, counted from 1: ' || v_unknown || '.';
  end if;

  for v_update in
    select
      p.id as mentor_id,
      u.one ->> 'kind' as kind,
      (u.one ->> 'issued_on')::date as issued_on,
      (u.one ->> 'expires_on')::date as expires_on,
      u.one ->> 'note' as note
    from jsonb_array_elements(p_updates) with ordinality as u (one, place)
    inner join public.peer_mentors as p on p.organisation_id = p_organisation_id and p.external_id = u.one ->> 'mentor'
    order by p.id, u.place
  loop
    perform public.record_renewal(
      p_mentor_id => v_update.mentor_id,
      p_issued_at => v_update.issued_on,
      p_expires_at => v_update.expires_on,
      p_note => v_update.note,
      p_kind => v_update.kind
    );
  end loop;
end
$$;

-- 4. Who may do what.
-- The delivery log of webhooks is for admins.
create policy "admins see the webhook deliveries of their organisation"
on public.webhook_deliveries for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

revoke all on public.webhook_deliveries from public, anon, authenticated, service_role;
grant select on public.webhook_deliveries to authenticated;
grant select, insert, update, delete on public.webhook_deliveries to service_role;

-- The public roster and its webhooks: who may call what, and the tables that are for the worker alone.
grant select, insert, update, delete on peerpause.roster_watches to service_role;
grant select, insert, update, delete on peerpause.roster_published to service_role;
grant select on peerpause.inbound_secrets to service_role;

revoke all on function
peerpause.update_public_profile(uuid, boolean, text[], text, text),
peerpause.require_languages(text[]),
peerpause.require_public_contact(text),
peerpause.has_hidden_characters(text),
peerpause.public_chapter(uuid),
peerpause.authorise_organisation(uuid),
peerpause.new_webhook_secret(),
peerpause.create_webhook_endpoint(uuid, text),
peerpause.require_webhook_url(text),
peerpause.list_webhook_endpoints(uuid),
peerpause.rotate_webhook_secret(uuid),
peerpause.disable_webhook_endpoint(uuid),
peerpause.retire_webhook_endpoint(uuid, text),
peerpause.roster_digests(uuid),
peerpause.rotate_inbound_secret(uuid),
peerpause.revoke_inbound_secret(uuid),
peerpause.receive_certificate_updates(uuid, text, jsonb),
public.update_public_profile(uuid, boolean, text[], text, text),
public.public_chapter(uuid),
public.create_webhook_endpoint(uuid, text),
public.list_webhook_endpoints(uuid),
public.rotate_webhook_secret(uuid),
public.disable_webhook_endpoint(uuid),
public.rotate_inbound_secret(uuid),
public.revoke_inbound_secret(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.public_chapter(uuid),
public.public_chapter(uuid)
to anon, authenticated, service_role;

-- The work behind the functions of public checks the caller itself.
grant execute on function
peerpause.update_public_profile(uuid, boolean, text[], text, text),
peerpause.create_webhook_endpoint(uuid, text),
peerpause.list_webhook_endpoints(uuid),
peerpause.rotate_webhook_secret(uuid),
peerpause.disable_webhook_endpoint(uuid),
peerpause.rotate_inbound_secret(uuid),
peerpause.revoke_inbound_secret(uuid),
public.update_public_profile(uuid, boolean, text[], text, text),
public.create_webhook_endpoint(uuid, text),
public.list_webhook_endpoints(uuid),
public.rotate_webhook_secret(uuid),
public.disable_webhook_endpoint(uuid),
public.rotate_inbound_secret(uuid),
public.revoke_inbound_secret(uuid)
to authenticated, service_role;

-- Background work is the service role's alone.
grant execute on function
peerpause.roster_digests(uuid),
peerpause.retire_webhook_endpoint(uuid, text),
peerpause.receive_certificate_updates(uuid, text, jsonb)
to service_role;
