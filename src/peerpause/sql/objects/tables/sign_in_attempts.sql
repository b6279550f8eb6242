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
