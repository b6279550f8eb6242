-- Calls a function of schema public. Put in: function_name, arguments.
select count(*) as found
from public.{function_name}({arguments}) as answer -- noqa: PRS
