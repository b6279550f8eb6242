-- What a mentor's page asks and changes beside the status: each checks the caller itself.
revoke all on function
peerpause.refuse_change_of_return(),
peerpause.update_expected_return(uuid, date, timestamptz, text),
peerpause.standing_of_mentor(uuid),
peerpause.chapters_of_mentor(uuid),
public.update_expected_return(uuid, date, timestamptz, text)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.update_expected_return(uuid, date, timestamptz, text),
peerpause.standing_of_mentor(uuid),
peerpause.chapters_of_mentor(uuid),
public.update_expected_return(uuid, date, timestamptz, text)
to authenticated, service_role;
