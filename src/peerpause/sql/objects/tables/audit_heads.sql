-- Where each organisation's audit chain ends: how many links it has, and the hash of the last. Whoever adds links locks the row first.
create table peerpause.audit_heads (
  organisation_id uuid primary key references public.organisations (id),
  place bigint not null default 0,
  hash bytea not null default decode(repeat('00', 32), 'hex'),
  constraint audit_heads_hash_is_sha256 check (octet_length(hash) = 32)
);

comment on table peerpause.audit_heads is 'The end of each organisation''s audit chain. Written down elsewhere, it shows later whether the end was cut off.';
comment on column peerpause.audit_heads.place is 'The place of the last link; 0 before the first.';

alter table peerpause.audit_heads enable row level security;
alter table peerpause.audit_heads force row level security;
revoke all on table peerpause.audit_heads from public, anon, authenticated, service_role;
