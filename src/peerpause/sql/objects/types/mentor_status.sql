-- The three states of a mentor. `inactive` is terminal.
create type public.mentor_status as enum ('active', 'paused', 'inactive');
