-- The audit chain: a link for every recorded row (a change of a status, a renewal, an override), and for everything that was cleared
-- from one. The hash of a link covers what it stands for and the hash before it, so that no row changes, goes or comes unnoticed.
--
-- A person's id and a note enter the hash as salted digests. Clearing them removes the salt too: the digest, which then tells nothing
-- any more, stays, and the chain still holds. No foreign keys: they would be checked for each change, and the chain outlives rows.
create table peerpause.audit_chain (
  organisation_id uuid not null,
  place bigint not null,
  kind text not null,
  entry_id uuid not null,
  chained_at timestamptz not null,
  adopted boolean not null default false,
  person_salt uuid,
  person_digest bytea,
  note_salt uuid,
  note_digest bytea,
  pseudonym uuid,
  cleared_because text,
  hash bytea not null,
  primary key (organisation_id, place),
  constraint audit_chain_kind_is_known check (kind in ('history', 'renewal', 'override', 'note_cleared', 'person_cleared')),
  constraint audit_chain_clears_for_a_reason check (
    (kind in ('note_cleared', 'person_cleared')) = (cleared_because is not null) and cleared_because in ('retention', 'erasure')
  ),
  constraint audit_chain_gives_a_pseudonym check ((kind = 'person_cleared') = (pseudonym is not null)),
  constraint audit_chain_hash_is_sha256 check (octet_length(hash) = 32)
);

comment on table peerpause.audit_chain is 'One link for each recorded row and each clearing; append-only, one chain for each organisation.';
comment on column peerpause.audit_chain.entry_id is 'The row it stands for, or the row something was cleared from.';
comment on column peerpause.audit_chain.adopted is 'Whether the row was taken in by hand, long after it was recorded (`peerpause audit adopt`).';
comment on column peerpause.audit_chain.person_digest is 'SHA-256 of salt and id of who did it; null for the system. Without its salt it tells nothing.';
comment on column peerpause.audit_chain.note_digest is 'SHA-256 of salt and note; null where there was none. Without its salt it tells nothing.';
comment on column peerpause.audit_chain.pseudonym is 'What stands for the erased person from then on.';
comment on column peerpause.audit_chain.hash is 'SHA-256 of the hash before it and the link''s own text; docs/audit.md says how the text is made.';

create unique index audit_chain_entry on peerpause.audit_chain (entry_id, kind);

alter table peerpause.audit_chain enable row level security;
alter table peerpause.audit_chain force row level security;
revoke all on table peerpause.audit_chain from public, anon, authenticated, service_role;
