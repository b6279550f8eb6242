-- Everybody who is signed in says for themselves how they want to be told.
revoke all on function
peerpause.set_notification_preferences(boolean, boolean, text, text, time, time),
public.set_notification_preferences(boolean, boolean, text, text, time, time)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.set_notification_preferences(boolean, boolean, text, text, time, time),
public.set_notification_preferences(boolean, boolean, text, text, time, time)
to authenticated, service_role;
