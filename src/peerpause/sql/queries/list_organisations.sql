-- Every organisation the caller may see, by id.
select o.id
from public.organisations as o
order by o.id
