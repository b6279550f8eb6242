-- shape_function
-- The frame around a call of a client's function of which the client wants some rows, columns or an order. Four gaps, which
-- peerpause.database.shaping fills from what it has parsed: the call, the filters, the columns, the order.
-- Parameters: arguments, a JSON object; most (null: all) and skipped; and the values of the filters.
with
called as materialized (
  select answer.*
  from public.called() as answer
),

kept as (
  select called.*
  from called
  where public.kept()
),

page as (
  select public.chosen()
  from kept
  order by public.sorted()
  limit %(most)s
  offset %(skipped)s
)

select
  coalesce((select json_agg(to_json(page)) from page), '[]')::text as answers,
  (select count(*) from page) as count,
  (select count(*) from kept) as total
