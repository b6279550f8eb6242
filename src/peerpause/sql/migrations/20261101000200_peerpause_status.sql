-- The status of a mentor, as columns of the mentor's own row.
--
-- Additive: every column is nullable or has a constant default, so PostgreSQL adds them without rewriting the table, and clients
-- that `select *` see more columns but lose none. Existing mentors are active.

-- 1. The rows that were here before, held to the truths of the directory. Reads every table once; readers and writers go on.
alter table public.organisations validate constraint organisations_push_detail_is_known;
alter table public.organisations validate constraint organisations_language_is_known;
alter table public.people validate constraint people_language_is_known;
alter table public.people validate constraint people_quiet_hours_have_both_ends;
alter table public.certifications validate constraint certifications_expire_after_issue;
alter table public.device_tokens validate constraint device_tokens_kind_is_known;
alter table public.device_tokens validate constraint device_tokens_platform_is_known;
alter table public.chapter_memberships validate constraint chapter_memberships_chapter;
alter table public.chapter_memberships validate constraint chapter_memberships_mentor;
alter table public.coordinator_roles validate constraint coordinator_roles_chapter;
alter table public.certifications validate constraint certifications_mentor;
alter table public.peer_mentors validate constraint peer_mentors_predecessor;

-- 2. The directory migration saw to it that no such columns were here. Somebody may have added them since.
do $$
declare
  v_taken text;
begin
  select string_agg(format('peer_mentors.%s (%s)', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attname)
  into v_taken
  from pg_catalog.pg_attribute as a
  where
    a.attrelid = 'public.peer_mentors'::regclass
    and not a.attisdropped
    and (
      a.attname in ('status', 'pause_at', 'pause_reason', 'pause_note', 'expected_return_on', 'reactivated_at')
      or (a.attname = 'updated_at' and a.atttypid <> 'timestamptz'::regtype)
    );
  if v_taken is not null then
    raise exception 'these columns mean something else to PeerPause: %', v_taken
      using errcode = '42701', hint = 'Nothing was changed. Give your columns other names, then apply the migrations again.';
  end if;
end
$$;

-- 3. The columns. The lock on the table is held from here to the end: milliseconds.
create type public.mentor_status as enum ('active', 'paused', 'inactive');

alter table public.peer_mentors
  add column status public.mentor_status not null default 'active',
  add column pause_at timestamptz,
  add column pause_reason text,
  add column pause_note text,
  add column expected_return_on date,
  add column reactivated_at timestamptz,
  add column if not exists updated_at timestamptz not null default now();

comment on column public.peer_mentors.status is 'Changed only along active→paused, paused→active, active→inactive; every change leaves a history row.';
comment on column public.peer_mentors.pause_at is 'Since when the mentor is paused; null unless paused.';
comment on column public.peer_mentors.pause_reason is 'Code from peerpause.reason_codes(); null unless paused.';
comment on column public.peer_mentors.pause_note is 'Free text that may hold health data: for the mentor, their coordinators and admins only.';
comment on column public.peer_mentors.expected_return_on is 'The day the mentor expects to be back, in the organisation''s time zone; null unless paused.';
comment on column public.peer_mentors.reactivated_at is 'When the mentor last came back from a pause.';

alter table public.peer_mentors
  add constraint peer_mentors_paused_since check ((status = 'paused') = (pause_at is not null)) not valid,
  add constraint peer_mentors_pause_facts_only_while_paused check (
    status = 'paused' or (pause_reason is null and pause_note is null and expected_return_on is null)
  ) not valid,
  add constraint peer_mentors_paused_for_a_reason check (status <> 'paused' or pause_reason is not null) not valid,
  add constraint peer_mentors_note_is_short check (char_length(pause_note) <= 2000) not valid;

-- 4. An app's own comment stays.
do $$
begin
  if not exists (
    select from peerpause.adopted_columns as a
    where a.table_name = 'peer_mentors' and a.column_name = 'updated_at'
  ) then
    comment on column public.peer_mentors.updated_at is 'Strictly increases with every update of the row: the optimistic-lock token.';
  end if;
end
$$;
