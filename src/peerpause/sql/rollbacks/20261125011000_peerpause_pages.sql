-- Takes back what the twin of the same name added.
drop function peerpause.actors_of_mentor(uuid);
drop function peerpause.contacts_of_mentor(uuid);

drop table public.reason_labels;

do $$
begin
  if not exists (
    select from peerpause.adopted_columns as a where a.table_name = 'organisations' and a.column_name = 'role_word_plural'
  ) then
    alter table public.organisations drop column role_word_plural;
  end if;
end
$$;
