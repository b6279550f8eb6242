-- Takes back what the twin of the same name added. The preferences people have set stay: those columns are the directory's.
drop function public.set_notification_preferences(boolean, boolean, text, text, time, time);
drop function peerpause.set_notification_preferences(boolean, boolean, text, text, time, time);
