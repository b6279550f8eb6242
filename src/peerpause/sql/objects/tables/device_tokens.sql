-- Devices that get pushes. One owner a token; a token is never logged.
create table public.device_tokens (
  token text primary key,
  user_id uuid not null,
  platform text not null,
  kind text not null default 'token',
  registered_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  retired_at timestamptz,
  retired_because text,
  constraint device_tokens_kind_is_known check (kind in ('token', 'fid')),
  constraint device_tokens_platform_is_known check (platform in ('android', 'ios', 'web'))
);

comment on table public.device_tokens is 'Devices that get pushes. One owner a token; never logged.';
comment on column public.device_tokens.kind is 'token: FCM registration token; fid: Firebase installation id.';
comment on column public.device_tokens.retired_at is 'Since when the push service says that the token is dead.';

create index device_tokens_user on public.device_tokens (user_id) where retired_at is null;

alter table public.device_tokens enable row level security;
alter table public.device_tokens force row level security;
revoke all on table public.device_tokens from public, anon, authenticated, service_role;
