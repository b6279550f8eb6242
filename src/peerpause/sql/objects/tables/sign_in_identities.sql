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
