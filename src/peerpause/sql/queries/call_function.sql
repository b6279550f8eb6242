-- The frame around a call of a client's function: its rows as one JSON list. `public.called()` stands for the function with the
-- arguments given; peerpause.database.functions puts it there. Parameter: arguments, a JSON object.
select
  coalesce(json_agg(to_json(answer)), '[]')::text as answers,
  count(*) as count
from public.called() as answer
