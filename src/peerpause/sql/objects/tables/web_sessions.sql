-- Who is signed in to the web pages, one row a browser.
create table peerpause.web_sessions (
  id uuid primary key default gen_random_uuid(),
  digest bytea not null,
  user_id uuid not null,
  issuer text,
  csrf text not null,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  constraint web_session_digest_is_sha256 check (octet_length(digest) = 32),
  constraint web_session_times_are_in_order check (created_at <= last_seen_at and created_at < expires_at)
);

comment on table peerpause.web_sessions is 'Who is signed in to the web pages; for the service role alone. Kept until a day after the end.';
comment on column peerpause.web_sessions.digest is 'SHA-256 of what the cookie holds, so that nobody who reads this can be anybody.';
comment on column peerpause.web_sessions.issuer is 'Who said who they are; null where nobody outside did, as in the demo.';
comment on column peerpause.web_sessions.csrf is 'What every form of this session carries.';
comment on column peerpause.web_sessions.last_seen_at is 'To the minute, so that not every page writes.';
comment on column peerpause.web_sessions.expires_at is 'Moves on with use, up to a fixed time after the sign-in.';
comment on column peerpause.web_sessions.revoked_at is 'When it was ended by hand: signed out, or ended from another browser.';

create unique index web_sessions_digest on peerpause.web_sessions (digest);
create index web_sessions_person on peerpause.web_sessions (user_id);
create index web_sessions_end on peerpause.web_sessions (expires_at);

alter table peerpause.web_sessions enable row level security;
alter table peerpause.web_sessions force row level security;
