-- Sign-in by a provider: which subject is whom, and the sign-ins under way. Touches nothing that is there.

-- Under which name each provider of sign-ins knows a person.
create table peerpause.sign_in_identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null,
  linked_by text not null,
  linked_at timestamptz not null default now(),
  primary key (issuer, subject),
  constraint sign_in_identity_way_is_known check (linked_by in ('email', 'hand')),
  constraint sign_in_identity_is_short check (char_length(issuer) between 1 and 500 and char_length(subject) between 1 and 255)
);

comment on table peerpause.sign_in_identities is 'For the service role alone. Not needed where the provider''s subject is the user_id.';
comment on column peerpause.sign_in_identities.subject is 'The `sub` of the provider''s tokens: it stays when the e-mail address changes.';
comment on column peerpause.sign_in_identities.linked_by is 'email: by the verified address, at the first sign-in; hand: by an operator.';

create index sign_in_identities_person on peerpause.sign_in_identities (user_id, issuer);

alter table peerpause.sign_in_identities enable row level security;
alter table peerpause.sign_in_identities force row level security;

-- Sign-ins that have been begun: what the provider's answer is compared with. Each is taken once.
create table peerpause.sign_in_attempts (
  digest bytea primary key,
  state text not null,
  nonce text not null,
  verifier text not null,
  next_path text not null,
  created_at timestamptz not null default now(),
  constraint sign_in_attempt_digest_is_sha256 check (octet_length(digest) = 32)
);

comment on table peerpause.sign_in_attempts is 'For the service role alone; forgotten within the hour.';
comment on column peerpause.sign_in_attempts.digest is 'SHA-256 of what the browser''s cookie holds, so that the answer counts in this browser alone.';
comment on column peerpause.sign_in_attempts.verifier is 'What proves to the provider that we began it (PKCE).';

create index sign_in_attempts_age on peerpause.sign_in_attempts (created_at);

alter table peerpause.sign_in_attempts enable row level security;
alter table peerpause.sign_in_attempts force row level security;

-- Links a provider's subject to the one person with this address, at their first sign-in. The provider must have verified the address.
--
-- Answers the person and `linked`; or no person and why not: `unknown`, nobody has the address; `several` have it; `taken`, the
-- person is known to this provider under another subject, so that whoever inherits an address inherits nobody's account.
-- Refuses nothing. Locks: the person's row, against a second first sign-in at the same moment.
create function peerpause.link_sign_in(p_issuer text, p_subject text, p_email text)
returns table (user_id uuid, outcome text)
language plpgsql
rows 1
set search_path = pg_catalog, pg_temp
as $$
declare
  v_people uuid[];
begin
  select array_agg(p.user_id) into v_people
  from public.people as p
  where lower(p.email) = lower(p_email);
  if v_people is null then
    return query select null::uuid, 'unknown';
    return;
  end if;
  if cardinality(v_people) > 1 then
    return query select null::uuid, 'several';
    return;
  end if;
  perform from public.people as p where p.user_id = v_people[1] for update;
  insert into peerpause.sign_in_identities (issuer, subject, user_id, linked_by)
  select p_issuer, p_subject, v_people[1], 'email'
  where not exists (
    select from peerpause.sign_in_identities as i where i.issuer = p_issuer and i.user_id = v_people[1]
  )
  on conflict do nothing;
  return query
  select i.user_id, 'linked'
  from peerpause.sign_in_identities as i
  where i.issuer = p_issuer and i.subject = p_subject and i.user_id = v_people[1];
  if not found then
    return query select null::uuid, 'taken';
  end if;
end
$$;

-- Signing in is the service role's work: nobody is anybody yet.
revoke all on table
peerpause.sign_in_identities,
peerpause.sign_in_attempts
from public, anon, authenticated, service_role;

grant select, insert, update, delete on peerpause.sign_in_identities to service_role;
grant select, insert, delete on peerpause.sign_in_attempts to service_role;

revoke all on function peerpause.link_sign_in(text, text, text) from public, anon, authenticated, service_role;
grant execute on function peerpause.link_sign_in(text, text, text) to service_role;
