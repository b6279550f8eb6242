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
