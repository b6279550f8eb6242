-- Who may call what. Everything is closed first, because PostgreSQL opens new functions to everyone.
revoke all on all functions in schema peerpause from public, anon, authenticated, service_role;
revoke all on schema peerpause from public, anon, authenticated, service_role;
grant usage on schema peerpause to anon, authenticated, service_role;

-- What policies and constraints call in the reader's name.
grant execute on function
peerpause.my_chapters(),
peerpause.my_organisations(),
peerpause.my_mentors()
to authenticated;

-- Which day it is for an organisation.
grant execute on function peerpause.clock(), peerpause.today(text) to authenticated;
grant execute on function peerpause.clock() to service_role;

-- Lists of mentors, and how one is reached: each checks the caller itself.
grant execute on function
peerpause.roster_page(
  uuid, uuid[], public.mentor_status[], text[], text, integer, boolean, text, boolean, numeric, text, uuid, integer
),
peerpause.roster_counts(uuid, uuid[], integer)
to authenticated;

grant execute on function peerpause.address_of_mentor(uuid) to authenticated, service_role;

-- What the guard calls in the name of a coordinator who updates a row directly.
grant execute on function
peerpause.guard_peer_mentor(),
peerpause.is_valid_transition(public.mentor_status, public.mentor_status),
peerpause.refuse_transition(public.mentor_status, public.mentor_status),
peerpause.reason_codes(),
peerpause.system_reason_codes(),
peerpause.refuse_reason(text),
peerpause.refuse_system_reason(text),
peerpause.require_return_date(date, timestamptz, uuid),
peerpause.blocking_lapse_for_caller(uuid),
peerpause.require_limit(integer)
to authenticated, service_role;

-- What the guard calls in the name of the service role; it tells of any mentor.
grant execute on function peerpause.blocking_lapse(uuid, uuid) to service_role;

-- What pages ask: each checks the caller itself.
grant execute on function
peerpause.contacts_of_mentor(uuid),
peerpause.actors_of_mentor(uuid),
peerpause.recorders_of_mentor(uuid),
peerpause.starters_of_runs(uuid[]),
peerpause.begin_expiry_run_by_hand(uuid[]),
peerpause.organisation_settings(uuid),
peerpause.latest_settings_change(uuid),
peerpause.change_organisation_settings(uuid, jsonb, uuid),
peerpause.give_coordinator_role(uuid, uuid),
peerpause.take_coordinator_role(uuid, uuid),
peerpause.list_people_of_organisation(uuid, text, integer, text, uuid),
peerpause.names_in_organisation(uuid, uuid[]),
peerpause.retry_deliveries_of_organisation(uuid, uuid[])
to authenticated, service_role;

-- The work behind the functions of public: each checks the caller itself.
grant execute on function
peerpause.update_mentor_status(uuid, text, uuid, text, timestamptz, text),
peerpause.pause_mentor(uuid, text, timestamptz, date, text, timestamptz, text),
peerpause.reactivate_mentor(uuid, timestamptz, text, text),
peerpause.deactivate_mentor(uuid, text, text, timestamptz, text),
peerpause.cancel_scheduled_pause(uuid),
peerpause.list_chapter_mentors(uuid, text, text, integer, text, uuid),
peerpause.sort_chapter_mentors(uuid, text, text, text, boolean, integer, text, timestamptz, uuid),
peerpause.claim_key(text, text, text, interval),
peerpause.extend_claim(text, timestamptz, interval),
peerpause.settle_claim(text, timestamptz, jsonb),
peerpause.register_device_token(text, text, text),
peerpause.release_device_token(text),
peerpause.run_certification_expiry(uuid[]),
peerpause.record_renewal(uuid, date, date, text, text, text),
peerpause.grant_certification_override(uuid, text, date, text),
peerpause.certification_watchdog()
to authenticated, service_role;

grant execute on function peerpause.public_chapter_roster(uuid) to anon, authenticated, service_role;

-- The functions clients call.
revoke all on function
public.update_mentor_status(uuid, text, uuid, text, timestamptz, text),
public.rpc_pause_mentor(uuid, text, timestamptz, date, text, timestamptz, text),
public.rpc_reactivate_mentor(uuid, timestamptz, text, text),
public.rpc_deactivate_mentor(uuid, text, text, timestamptz, text),
public.rpc_cancel_scheduled_pause(uuid),
public.get_mentor_status(uuid),
public.get_mentor_status_history(uuid, integer, timestamptz),
public.list_chapter_mentors(uuid, text, text, integer, text, uuid),
public.register_device_token(text, text, text),
public.release_device_token(text),
public.run_certification_expiry(uuid[]),
public.record_renewal(uuid, date, date, text, text, text),
public.grant_certification_override(uuid, text, date, text),
public.certification_watchdog(),
public.public_chapter_roster(uuid)
from public, anon, authenticated, service_role;

grant execute on function
public.update_mentor_status(uuid, text, uuid, text, timestamptz, text),
public.rpc_pause_mentor(uuid, text, timestamptz, date, text, timestamptz, text),
public.rpc_reactivate_mentor(uuid, timestamptz, text, text),
public.rpc_deactivate_mentor(uuid, text, text, timestamptz, text),
public.rpc_cancel_scheduled_pause(uuid),
public.get_mentor_status(uuid),
public.get_mentor_status_history(uuid, integer, timestamptz),
public.list_chapter_mentors(uuid, text, text, integer, text, uuid),
public.register_device_token(text, text, text),
public.release_device_token(text),
public.run_certification_expiry(uuid[]),
public.record_renewal(uuid, date, date, text, text, text),
public.grant_certification_override(uuid, text, date, text),
public.certification_watchdog()
to authenticated, service_role;

grant execute on function public.public_chapter_roster(uuid) to anon, authenticated, service_role;

-- Background work is the service role's alone.
grant execute on function
peerpause.time_ordered_uuid(),
peerpause.apply_scheduled_changes(integer),
peerpause.coordinators_of(uuid[]),
peerpause.after_quiet_hours(timestamptz, time, time, text),
peerpause.bulk_moment(timestamptz, uuid),
peerpause.lapsed_mentors(uuid[], uuid, integer),
peerpause.expired_certificates(uuid, text[], date, date, uuid, integer),
peerpause.lapsed_mentors_at(timestamptz),
peerpause.begin_expiry_run(uuid[], interval),
peerpause.expire_batch(uuid, integer),
peerpause.pause_lapsed(uuid, uuid[], jsonb),
peerpause.job_run_report(uuid),
peerpause.fail_job_run(uuid, text),
peerpause.is_overtaken(public.mentor_notices),
peerpause.cancel_notices(uuid),
peerpause.expiring_certificates(uuid, integer),
peerpause.make_reminders(),
peerpause.return_on_date(),
peerpause.last_due_run(timestamptz),
peerpause.watchdog_problems(),
peerpause.watch_certificates(),
peerpause.incidents_in_short(uuid[]),
peerpause.finish_job_run(uuid),
peerpause.applied_migrations(),
peerpause.count_requests(text, text[], integer[], integer, boolean),
peerpause.forget_allowances(),
peerpause.record_imported_roles(uuid, uuid, jsonb)
to service_role;
